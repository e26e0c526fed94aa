import {
  deleteServer,
  deleteStack,
  findStack,
  listServers,
  listStackEvents,
  networks,
  ports,
  stackTemplate,
} from '@superfluidity/openstack';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, describe, expect, test as it } from 'vitest';
import { native } from './testing.ts';
import { lab, labSite, type LabSite, why } from './testing/lab-site.ts';
import { cleared, done, inventory } from './testing/two-sites.ts';

const name = `shop${process.pid}`;
const text = (more: string, version = '1', image = 'name:lab-image') => `
superfluidity: 1
service:
  name: ${name}
  version: '${version}'
  networks: [{ name: apps, prefix: 10.66.0.0/16 }]
  functions:
    - name: db
      environment: vm
      image: ${image}
      ports: [{ name: eth0, network: apps, allow: [{ protocol: tcp, ports: [5432] }] }]
      requirements: { cpu: 1, memoryMiB: 64 }
    - name: web
      environment: vm
      image: ${image}
      ports: [apps]
      scale: { initial: 1, min: 0, max: 3 }
      requirements: { cpu: 1, memoryMiB: 64, after: [db/db] }
${more}`;
const descriptor = native(text(''));

describe.skipIf(lab === undefined)(`a service as a stack of Heat${why}`, () => {
  let store: Store;
  let site: LabSite;
  const signal = AbortSignal.timeout(3_000_000);
  const services = () => site.test.lifecycle.services;
  const deploy = () => done(site.test, services().deploy(descriptor));
  const terminate = () => done(site.test, services().terminate(name));
  const stack = async () => {
    const found = await findStack(site.cloud, `${name}.cloud1`, signal);
    return found === undefined ? undefined : { name: found.stack_name, id: found.id, status: found.stack_status };
  };
  const servers = async () =>
    (await listServers(site.cloud, {}, signal)).filter((server) => server.name.startsWith(`${name}.`));

  const theNetwork = async () =>
    (await networks.list(site.cloud, {}, signal)).find((one) => one.name === `${name}.apps`)!.id;

  beforeAll(async () => {
    store = await openStore('pglite:memory');
    site = await labSite(`sf-stacks-${process.pid}`, { store }, { deploy: 'heat' });
  }, 600_000);
  // What a test that failed left would be in the way of the next one.
  afterEach(() => cleared(site.test, name), 600_000);
  afterAll(async () => {
    await site.close();
    await store.close();
  }, 600_000);

  it('is previewed, made, found as our own units, changed in place, and deleted', { timeout: 900_000 }, async () => {
    const plan = await services().plan(descriptor);
    expect(plan.steps.map(({ id }) => id)).toEqual(['stack@cloud1']);
    expect(plan.previews?.[0]?.refused).toBeUndefined();
    expect(plan.previews?.[0]?.changes).toContainEqual({
      change: 'add',
      name: 'unit_web_web_0',
      type: 'OS::Nova::Server',
    });
    expect(await stack()).toBeUndefined();

    const { state, detail } = await deploy();
    expect([state, detail.error?.message]).toEqual(['COMPLETED', undefined]);
    const told = detail.steps[0]?.detail?.map((line) => `${line.what} ${line.state}`) ?? [];
    expect(told).toContain('unit_db_db_0 CREATE_COMPLETE');
    expect(told.indexOf('unit_db_db_0 CREATE_COMPLETE')).toBeLessThan(
      told.indexOf('unit_web_web_0 CREATE_IN_PROGRESS'),
    );
    const made = await stack();
    expect(made?.status).toBe('CREATE_COMPLETE');
    const template = await stackTemplate(site.cloud, made!, signal);
    expect(JSON.stringify(template)).not.toContain('#cloud-config');
    const { units } = await services().show(name);
    expect(units.map((unit) => [unit.path, unit.state])).toEqual([
      ['db/db', 'running'],
      ['web/web', 'running'],
    ]);
    const before = await servers();
    const [port] = await ports.list(site.cloud, { device_id: before[0]!.id }, signal);
    expect(units.flatMap((unit) => unit.ports.map(({ address }) => address))).toContain(port?.fixed_ips[0]?.ip_address);
    expect(await inventory(site.test)).toEqual(['cloud1 network apps', 'cloud1 unit db/db#0', 'cloud1 unit web/web#0']);

    expect((await done(site.test, services().scale(name, 'web', 3))).state).toBe('COMPLETED');
    expect(await stack()).toMatchObject({ id: made!.id, status: 'UPDATE_COMPLETE' });
    const after = await servers();
    expect(after).toHaveLength(4);
    expect(after.map(({ id }) => id)).toEqual(expect.arrayContaining(before.map(({ id }) => id)));

    const extra = `
    - name: cache
      environment: vm
      image: name:lab-image
      ports: [{ name: eth0, network: apps, address: 10.66.0.77 }]
      requirements: { cpu: 1, memoryMiB: 64 }
`;
    const next = native(text(extra, '2'));
    const changes = (await services().planUpdate(name, next)).previews?.[0]?.changes ?? [];
    expect(changes.filter(({ change }) => change === 'add').map((one) => one.name)).toContain('unit_cache_cache_0');
    expect(changes.filter(({ change }) => change === 'replace')).toEqual([]);
    expect((await done(site.test, services().update(name, next, {}))).state).toBe('COMPLETED');
    expect((await servers()).map(({ id }) => id)).toEqual(expect.arrayContaining(after.map(({ id }) => id)));

    expect((await terminate()).state).toBe('COMPLETED');
    expect(await stack()).toBeUndefined();
    expect(await servers()).toEqual([]);
    expect(await inventory(site.test)).toEqual([]);
  });

  it('that fails names the resource, and is taken back by us or by Heat itself', { timeout: 900_000 }, async () => {
    await deploy();
    const made = await stack();
    const network_id = await theNetwork();
    const taken = { network_id, name: `${name}-taken`, fixed_ips: [{ ip_address: '10.66.0.66' }] };
    const theirs = await ports.create(site.cloud, taken, signal);
    const broken = native(text(BAD_ADDRESS, '3'));
    const failed = await done(site.test, services().update(name, broken, {}));
    expect(failed.state).toBe('FAILED_TEMP');
    expect(failed.detail.error).toMatchObject({ code: 'SF-SITE-STACK-FAILED' });
    expect(failed.detail.error?.message).toMatch(/unit_bad_bad_0__port_0 \(OS::Neutron::Port\).*10\.66\.0\.66/s);
    const { operations } = site.test.lifecycle;
    await operations.rollback(failed.id);
    expect((await operations.settled(failed.id)).state).toBe('ROLLED_BACK');
    expect((await stack())?.status).toBe('UPDATE_COMPLETE');
    expect(await servers()).toHaveLength(2);

    const again = await done(site.test, services().update(name, broken, {}, { rollback: true }));
    expect(again.state).toBe('FAILED_TEMP');
    expect(await stack()).toMatchObject({ id: made!.id, status: 'ROLLBACK_COMPLETE' });
    await operations.rollback(again.id);
    expect((await operations.settled(again.id)).state).toBe('ROLLED_BACK');
    await ports.delete(site.cloud, theirs.id, signal);
    expect((await terminate()).state).toBe('COMPLETED');
  });

  it('that cannot be deleted is tried again, and then says what holds it', { timeout: 900_000 }, async () => {
    await deploy();
    const network_id = await theNetwork();
    const holds = await ports.create(site.cloud, { network_id, name: `${name}-holds` }, signal);
    const stuck = await terminate();
    expect(stuck.state).toBe('FAILED_TEMP');
    expect(stuck.detail.error?.message).toMatch(/(network|subnet)_apps/);
    expect((await stack())?.status).toBe('DELETE_FAILED');
    await ports.delete(site.cloud, holds.id, signal);
    const { operations } = site.test.lifecycle;
    await operations.retry(stuck.id);
    expect((await operations.settled(stuck.id)).state).toBe('COMPLETED');
    expect(await stack()).toBeUndefined();
  });

  it('comes back when its server, or all of it, was deleted behind our back', { timeout: 900_000 }, async () => {
    await deploy();
    const lost = (await servers()).find((server) => server.name.includes('web'));
    await deleteServer(site.cloud, lost!.id, signal);
    await waitFor(async () => (await servers()).length === 1);
    expect((await done(site.test, services().heal(name))).state).toBe('COMPLETED');
    expect(await servers()).toHaveLength(2);

    const made = (await stack())!;
    await deleteStack(site.cloud, made, signal);
    await waitFor(async () => (await stack()) === undefined);
    expect((await done(site.test, services().heal(name))).state).toBe('COMPLETED');
    expect(await servers()).toHaveLength(2);
    expect((await stack())?.id).not.toBe(made.id);
    expect((await terminate()).state).toBe('COMPLETED');
  });

  it('is one stack when the server dies in its middle', { timeout: 900_000 }, async () => {
    const { operation } = await services().deploy(descriptor);
    await waitFor(async () => (await stack())?.status === 'CREATE_IN_PROGRESS');
    await site.test.restart();
    expect((await site.test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
    const made = (await stack())!;
    const begun = (await listStackEvents(site.cloud, made, undefined, signal)).filter(
      (event) => event.resource_name === made.name && event.resource_status === 'CREATE_IN_PROGRESS',
    );
    expect(begun).toHaveLength(1);
    expect(await servers()).toHaveLength(2);
    expect((await terminate()).state).toBe('COMPLETED');
  });
});

/** Two ports with one address. */
/** Somebody else has the address, which nobody but Neutron knows. */
const BAD_ADDRESS = `
    - name: bad
      environment: vm
      image: name:lab-image
      ports: [{ name: eth0, network: apps, address: 10.66.0.66 }]
      requirements: { cpu: 1, memoryMiB: 64 }
`;

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 300_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
