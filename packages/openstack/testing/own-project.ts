import { silentLogger, systemClock } from '@superfluidity/core';
import { z } from 'zod';
import { Cloud, path } from '../cloud.ts';
import type { CloudConfig } from '../credentials.ts';
import { listProjects } from '../services/identity.ts';

export interface OwnProject {
  readonly id: string;
  /** Of the user that was made with it. */
  readonly config: CloudConfig;
  /** With the roles of the laboratory's admin, in its own project: sees everything. */
  readonly admin: Cloud;
  remove(): Promise<void>;
}

const DOMAIN = { id: 'default' } as const;
const made = z.object({ id: z.string() });

/** Of a tenant who may use all services. */
const TENANT = ['member', 'load-balancer_member', 'heat_stack_owner'];
/** Of one who may say on which host things are, and change quotas. */
export const OPERATOR = ['admin', 'load-balancer_member', 'heat_stack_owner'];

/**
 * A project and a user for one test, which others do not touch. What is made in it the test removes itself; what a run that
 * was ended before it had done so left in a project of the same name is there.
 */
export async function ownProject(
  lab: CloudConfig,
  name: string,
  roles: readonly string[] = TENANT,
): Promise<OwnProject> {
  const signal = AbortSignal.timeout(60_000);
  const admin = new Cloud({ config: lab, clock: systemClock, log: silentLogger });
  const call = { service: 'identity', method: 'POST', signal } as const;
  const password = crypto.randomUUID();
  const fields = { name, domain_id: DOMAIN.id };
  await removeUser(admin, name, signal);
  const [found] = await listProjects(admin, { name }, signal);
  const id = found?.id ?? (await createProject(admin, name, signal));
  const { user } = await admin.json(
    { ...call, path: '/users', body: { user: { ...fields, password } }, doing: `create user ${name}` },
    z.object({ user: made }),
  );
  const known = await admin.json(
    { ...call, method: 'GET', path: '/roles', doing: 'list roles' },
    z.object({ roles: z.array(z.object({ id: z.string(), name: z.string() })) }),
  );
  for (const role of known.roles) {
    if (!roles.includes(role.name)) continue;
    const to = path`/projects/${id}/users/${user.id}/roles/${role.id}`;
    await admin.send({ ...call, method: 'PUT', path: to, doing: `give role ${role.name} to user ${name}` });
  }
  return {
    id,
    config: { ...lab, credentials: { kind: 'password', user: { id: user.id }, password, project: { id } } },
    admin,
    async remove() {
      const ending = AbortSignal.timeout(60_000);
      await removeUser(admin, name, ending);
      const call = { service: 'identity', method: 'DELETE', signal: ending } as const;
      await admin.remove({ ...call, path: path`/projects/${id}`, doing: `delete project ${name}` });
      await admin.close();
    },
  };
}

async function createProject(admin: Cloud, name: string, signal: AbortSignal): Promise<string> {
  const body = { project: { name, domain_id: DOMAIN.id } };
  const call = { service: 'identity', method: 'POST', path: '/projects', body, signal } as const;
  return (await admin.json({ ...call, doing: `create project ${name}` }, z.object({ project: made }))).project.id;
}

/** Also the one whose password went with a run that was ended. */
async function removeUser(admin: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'identity', signal } as const;
  const { users } = await admin.json(
    { ...call, method: 'GET', path: '/users', query: { name }, doing: `find user ${name}` },
    z.object({ users: z.array(made) }),
  );
  for (const { id } of users)
    await admin.remove({ ...call, method: 'DELETE', path: path`/users/${id}`, doing: `delete user ${name}` });
}
