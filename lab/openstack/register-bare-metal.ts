import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, type Lab } from './lab.ts';
import { openAdminSession } from './register.ts';
import type { Json } from './rest.ts';

/** Fake machines, as many as a test of a pool may want, ready to be deployed. */
const MACHINES = 3;
const RESOURCE_CLASS = 'baremetal';
const MACHINE = { cpus: 4, memory_mb: 4096, local_gb: 20 } as const;
/** Of whole machines: what it has of processors and memory is for people to read, and what it takes is one machine. */
const FLAVOUR = {
  id: 'bare-metal',
  name: 'bm.whole',
  vcpus: MACHINE.cpus,
  ram: MACHINE.memory_mb,
  disk: MACHINE.local_gb,
};
const TAKES = {
  [`resources:CUSTOM_${RESOURCE_CLASS.toUpperCase()}`]: '1',
  'resources:VCPU': '0',
  'resources:MEMORY_MB': '0',
  'resources:DISK_GB': '0',
} as const;
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
        properties: { ...MACHINE, cpu_arch: 'x86_64' },
      });
      return answer.status !== 404;
    });
    // Nova takes no machine of which it is not known whether it is on.
    for (const [of, target, field, state] of [
      ['provision', 'manage', 'provision_state', 'manageable'],
      ['power', 'power off', 'power_state', 'power off'],
      ['provision', 'provide', 'provision_state', 'available'],
    ] as const) {
      await ask('PUT', `${url}/states/${of}`, { target });
      await retried(async () => (await ask('GET', url)).body[field] === state);
    }
  }
}

/** Servers of this flavour are put on a machine of the resource class, and nowhere else. */
export async function registerBareMetalFlavour(lab: Lab): Promise<void> {
  const session = await openAdminSession(lab);
  const flavours = endpoint(lab, 'nova', '/v2.1/flavors');
  const known = (await session.get(flavours))['flavors'] as unknown as readonly Json[];
  if (!known.some(({ name }) => name === FLAVOUR.name)) await session.post(flavours, { flavor: FLAVOUR });
  await session.post(`${flavours}/${FLAVOUR.id}/os-extra_specs`, { extra_specs: TAKES });
}

async function retried(work: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await work().catch(() => false))) {
    if (performance.now() >= deadline) throw new Error('the fake machines did not become available');
    await sleep(POLL_MS);
  }
}
