import { isSuperfluidityError, silentLogger, systemClock } from '@superfluidity/core';
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

/** A project and a user for one test, which others do not touch. What is made in it the test removes itself. */
export async function ownProject(
  lab: CloudConfig,
  name: string,
  roles: readonly string[] = ['member', 'load-balancer_member', 'heat_stack_owner'],
): Promise<OwnProject> {
  const signal = AbortSignal.timeout(60_000);
  const admin = new Cloud({ config: lab, clock: systemClock, log: silentLogger });
  const call = { service: 'identity', method: 'POST', signal } as const;
  const password = crypto.randomUUID();
  const fields = { name, domain_id: DOMAIN.id };
  await removeProject(admin, name, signal);
  const { project } = await admin.json(
    { ...call, path: '/projects', body: { project: fields }, doing: `create project ${name}` },
    z.object({ project: made }),
  );
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
    const to = path`/projects/${project.id}/users/${user.id}/roles/${role.id}`;
    await admin.send({ ...call, method: 'PUT', path: to, doing: `give role ${role.name} to user ${name}` });
  }
  return {
    id: project.id,
    config: { ...lab, credentials: { kind: 'password', user: { id: user.id }, password, project: { id: project.id } } },
    admin,
    async remove() {
      await removeProject(admin, name, AbortSignal.timeout(60_000));
      await admin.close();
    },
  };
}

/** Also what a test left that was ended before. */
async function removeProject(admin: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'identity', signal } as const;
  const users = await admin.json(
    { ...call, method: 'GET', path: '/users', query: { name }, doing: `find user ${name}` },
    z.object({ users: z.array(made) }),
  );
  for (const { id } of users.users)
    await admin.remove({ ...call, method: 'DELETE', path: path`/users/${id}`, doing: `delete user ${name}` });
  for (const { id } of await listProjects(admin, { name }, signal)) {
    try {
      await admin.remove({ ...call, method: 'DELETE', path: path`/projects/${id}`, doing: `delete project ${name}` });
    } catch (error) {
      if (!isSuperfluidityError(error)) throw error;
    }
  }
}
