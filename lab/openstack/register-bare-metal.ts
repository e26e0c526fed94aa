import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, type Lab } from './lab.ts';
import { openAdminSession } from './register.ts';

/** Fake machines, as many as a test of a pool may want, ready to be deployed. */
const MACHINES = 3;
const RESOURCE_CLASS = 'baremetal';
/** The last one of Zed. */
const VERSION = { 'x-openstack-ironic-api-version': '1.81' };
const READY_WITHIN_MS = 60_000;
const POLL_MS = 200;

export async function registerBareMetal(lab: Lab): Promise<void> {
  const session = await openAdminSession(lab);
  const nodes = endpoint(lab, 'ironic', '/v1/nodes');
  const ask = (method: string, url: string, body?: unknown) =>
    session.request(method, url, { headers: VERSION, accept: [404, 409], ...(body === undefined ? {} : { body }) });
  for (let number = 1; number <= MACHINES; number += 1) {
    const url = `${nodes}/machine-${number}`;
    await retried(async () => {
      const answer = await ask('POST', nodes, {
        name: `machine-${number}`,
        driver: 'fake-hardware',
        resource_class: RESOURCE_CLASS,
        properties: { cpus: 4, memory_mb: 4096, local_gb: 20, cpu_arch: 'x86_64' },
      });
      return answer.status !== 404;
    });
    for (const [verb, state] of [
      ['manage', 'manageable'],
      ['provide', 'available'],
    ] as const) {
      await ask('PUT', `${url}/states/provision`, { target: verb });
      await retried(async () => (await ask('GET', url)).body['provision_state'] === state);
    }
  }
}

async function retried(work: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await work().catch(() => false))) {
    if (performance.now() >= deadline) throw new Error('the fake machines did not become available');
    await sleep(POLL_MS);
  }
}
