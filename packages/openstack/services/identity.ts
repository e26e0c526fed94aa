import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { list } from '../paging.ts';

/** Keystone: https://docs.openstack.org/api-ref/identity/v3/. */

const project = z.object({
  id: z.string(),
  name: z.string(),
  domain_id: z.string(),
  enabled: z.boolean(),
  description: z.string().nullish(),
  tags: z.array(z.string()).default([]),
});
export type Project = z.infer<typeof project>;

/** Those that the user of the credentials can work in. */
export async function listOwnProjects(cloud: Cloud, signal: AbortSignal): Promise<readonly Project[]> {
  return list(cloud, {
    service: 'identity',
    path: '/auth/projects',
    key: 'projects',
    item: project,
    doing: 'list the projects of the user',
    signal,
  });
}

/** All, which needs a role that can see them. */
export async function listProjects(
  cloud: Cloud,
  query: { readonly name?: string; readonly domain_id?: string; readonly tags?: string },
  signal: AbortSignal,
): Promise<readonly Project[]> {
  const call = { service: 'identity', path: '/projects', key: 'projects', item: project } as const;
  return list(cloud, { ...call, query, doing: 'list projects', signal });
}

const tokenInfo = z.object({
  token: z.object({
    expires_at: z.string(),
    user: z.object({ id: z.string(), name: z.string() }),
    project: z.object({ id: z.string(), name: z.string() }).optional(),
    roles: z.array(z.object({ name: z.string() })).default([]),
  }),
});
export type TokenInfo = z.infer<typeof tokenInfo>['token'];

/** What a token allows, of whomever. */
export async function validateToken(cloud: Cloud, token: string, signal: AbortSignal): Promise<TokenInfo> {
  const call = { service: 'identity', method: 'GET', path: '/auth/tokens', query: { nocatalog: '' } } as const;
  const headers = { 'x-subject-token': token };
  return (await cloud.json({ ...call, headers, doing: 'validate a token', signal }, tokenInfo)).token;
}

export async function revokeToken(cloud: Cloud, token: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'identity', method: 'DELETE', path: '/auth/tokens' } as const;
  await cloud.remove({ ...call, headers: { 'x-subject-token': token }, doing: 'revoke a token', signal });
}

const applicationCredential = z.object({
  id: z.string(),
  name: z.string(),
  project_id: z.string(),
  expires_at: z.string().nullish(),
  unrestricted: z.boolean().nullish(),
  roles: z.array(z.object({ name: z.string() })).default([]),
});
export type ApplicationCredential = z.infer<typeof applicationCredential>;

export interface NewApplicationCredential {
  readonly name: string;
  readonly description?: string;
  /** ISO 8601, without a zone, in UTC. Absent: never. */
  readonly expires_at?: string;
  /** Names of those of the user's roles that it gets. Absent: all. */
  readonly roles?: readonly string[];
}

/** Of the user of the credentials, in the project of the credentials. Its secret is told this once. */
export async function createApplicationCredential(
  cloud: Cloud,
  { roles, ...wanted }: NewApplicationCredential,
  signal: AbortSignal,
): Promise<ApplicationCredential & { readonly secret: string }> {
  const { userId } = await cloud.session(signal);
  const fields = { ...wanted, ...(roles === undefined ? {} : { roles: roles.map((name) => ({ name })) }) };
  const answer = await cloud.json(
    {
      service: 'identity',
      method: 'POST',
      path: path`/users/${userId}/application_credentials`,
      body: { application_credential: fields },
      doing: `create application credential ${wanted.name}`,
      signal,
    },
    z.object({ application_credential: applicationCredential.extend({ secret: z.string() }) }),
  );
  return answer.application_credential;
}

export async function listApplicationCredentials(
  cloud: Cloud,
  signal: AbortSignal,
): Promise<readonly ApplicationCredential[]> {
  const { userId } = await cloud.session(signal);
  return list(cloud, {
    service: 'identity',
    path: path`/users/${userId}/application_credentials`,
    key: 'application_credentials',
    item: applicationCredential,
    doing: 'list application credentials',
    signal,
  });
}

export async function deleteApplicationCredential(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const { userId } = await cloud.session(signal);
  await cloud.remove({
    service: 'identity',
    method: 'DELETE',
    path: path`/users/${userId}/application_credentials/${id}`,
    doing: `delete application credential ${id}`,
    signal,
  });
}
