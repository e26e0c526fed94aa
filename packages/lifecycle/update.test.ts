import type { SiteLink } from '@superfluidity/api';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { changeLink } from './change-link.ts';
import { native, type TestLifecycle } from './testing.ts';
import { done, inventory, twoSites } from './testing/two-sites.ts';

let store: Store;
let test: TestLifecycle | undefined;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());
afterEach(async () => {
  await test?.close();
  test = undefined;
});

const text = `
superfluidity: 1
service:
  name: shop
  version: '1'
  networks:
    - { name: users, prefix: 10.45.0.0/16 }
    - { name: apps, prefix: 10.60.0.0/16 }
  functions:
    - name: client
      environment: container
      image: 'host:'
      ports: [users]
      requirements: { location: { sites: [edge] } }
    - name: web
      environment: container
      image: 'host:'
      ports: [apps]
      scale: { initial: 2, min: 0, max: 4 }
      requirements: { location: { sites: [core] } }
  chains:
    - { name: watch, from: client, to: web, address: 10.99.0.10, protocol: tcp, ports: [8080] }
  policies:
    - { name: served, reach: { from: client, to: web, packet: tcp dst port 8080 } }
`;
const changed = (from: string, to: string) => {
  expect(text).toContain(from);
  return native(text.replace(from, to));
};
const attached = changed('ports: [users]', 'ports: [users, apps]');

async function deployed() {
  test = await twoSites({ store });
  await done(test, test.lifecycle.services.deploy(native(text)));
  const { services } = test.lifecycle;
  const show = () => services.show('shop');
  return { test, services, show, first: await show() };
}

describe('a change of a link', () => {
  it('is an operation that can be watched, and is refused when the link is another by now', async () => {
    test = await twoSites({ store });
    const { sites, operations } = test.lifecycle;
    const change = (latencyMs: number, known?: SiteLink | null) =>
      changeLink({ sites, operations }, { ...link, latencyMs }, known);
    const [link] = (await sites.links()) as [SiteLink];
    const ended = await done(test, change(40, link));
    expect(ended).toMatchObject({ state: 'COMPLETED', detail: { kind: 'LINK', service: 'link:core:edge' } });
    expect(ended.detail.steps.map(({ id }) => id)).toEqual(['set-link@edge', 'set-link@core', 'keep-link']);
    expect(await sites.links()).toEqual([{ ...link, latencyMs: 40 }]);
    await expect(change(50, link)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-CHANGED' });
    await expect(change(50, null)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-CHANGED' });
    expect((await done(test, change(50))).state).toBe('COMPLETED');
  });
});

describe('an update of a service', () => {
  it('attaches a port by a new unit, and leaves the others alone', async () => {
    const { test, services, show, first } = await deployed();
    const plan = await services.planUpdate('shop', attached);
    expect(plan).toMatchObject({ kind: 'UPDATE', verification: { answer: 'holds' } });
    expect(plan.steps.map(({ id }) => id)).toEqual([
      'create-network:apps@edge',
      'create:client/client#0',
      'install-chain:watch@2',
      'activate-chain:watch@2',
      'drain:client/client#0',
      'settle-chain:watch@1',
      'remove-chain:watch@1',
      'remove:client/client#0',
    ]);
    expect(await show()).toEqual(first);
    const ended = await done(
      test,
      services.update('shop', attached, { after: first.descriptorId, digest: plan.digest }),
    );
    expect(ended.state).toBe('COMPLETED');
    const after = await show();
    expect(after.descriptorId).not.toBe(first.descriptorId);
    expect(after.units.find(({ path }) => path === 'client/client')!.ports.map(({ network }) => network)).toEqual([
      'shop.users',
      'shop.apps',
    ]);
    const webs = (all: typeof first) => all.units.filter(({ path }) => path === 'web/web').map(({ id }) => id);
    expect(webs(after)).toEqual(webs(first));
    const used = (await test.lifecycle.lists.descriptors({ limit: 9, sort: 'createdAt' })).items.map(
      (one) => one.usageState,
    );
    expect(used).toEqual(['NOT_IN_USE', 'IN_USE']);
    await done(test, services.terminate('shop'));
    expect(await inventory(test)).toEqual([]);
  });

  it('gives a network another prefix, with the units that are on it', async () => {
    const { test, services, show, first } = await deployed();
    const renumbered = changed('10.60.0.0/16', '10.61.0.0/16');
    const ended = await done(test, services.update('shop', renumbered, {}));
    expect(ended.state).toBe('COMPLETED');
    const after = await show();
    expect(
      after.units.filter(({ path }) => path === 'web/web').every(({ ports }) => ports[0]!.address.startsWith('10.61.')),
    ).toBe(true);
    expect(after.units.find(({ path }) => path === 'client/client')!.id).toBe(
      first.units.find(({ path }) => path === 'client/client')!.id,
    );
    const core = test.lifecycle.sites.drivers().get('core')!;
    expect((await core.fabric.listNetworks()).map(({ supernet }) => supernet)).toEqual(['10.61.0.0/16']);
    // The old prefix is free for others, the new one is not.
    const other = (prefix: string) =>
      native(
        text
          .replace('name: shop', 'name: other')
          .replace('10.45.', '10.46.')
          .replace('10.60.0.0/16', prefix)
          .replace('10.99.0.10', '10.99.0.11'),
      );
    await expect(services.plan(other('10.61.0.0/16'))).rejects.toMatchObject({ code: 'SF-LIFECYCLE-PREFIX-IN-USE' });
    await services.plan(other('10.60.0.0/16'));
  });

  it('that fails is taken back to what was there', async () => {
    test = await twoSites({ store }, { failures: { neverReady: ['late/late'] } });
    const { services, operations } = test.lifecycle;
    await done(test, services.deploy(native(text)));
    const [before, things] = [await services.show('shop'), await inventory(test)];
    const late = `  chains:\n`;
    const broken = changed(
      late,
      `    - { name: late, environment: container, image: 'host:', ports: [apps], health: { kind: tcp, port: 80, timeoutMs: 50 }, requirements: { location: { sites: [core] } } }\n${late}`,
    );
    const { id, state } = await done(test, services.update('shop', broken, {}));
    expect(state).toBe('FAILED_TEMP');
    await operations.rollback(id);
    expect((await operations.settled(id)).state).toBe('ROLLED_BACK');
    expect(await inventory(test)).toEqual(things);
    expect(await services.show('shop')).toMatchObject({
      descriptorId: before.descriptorId,
      units: before.units.map((unit) => ({ id: unit.id })),
    });
  });

  it('is refused when somebody else was quicker, when a policy would break, and when nothing changes', async () => {
    const { test, services, first } = await deployed();
    await expect(services.update('shop', native(text), {})).rejects.toMatchObject({ code: 'SF-LIFECYCLE-STATE' });
    const cut = changed('ports: [8080]', 'ports: [9090]');
    expect((await services.planUpdate('shop', cut)).verification?.answer).toBe('violated');
    await expect(services.update('shop', cut, {})).rejects.toMatchObject({ code: 'SF-LIFECYCLE-POLICY' });
    const { digest } = await services.planUpdate('shop', attached);
    await done(test, services.scale('shop', 'web', 3));
    await done(test, services.move('shop', 'client', 'edge', 'h2'));
    await expect(services.update('shop', attached, { digest })).rejects.toMatchObject({ code: 'SF-LIFECYCLE-CHANGED' });
    await done(test, services.update('shop', attached, { after: first.descriptorId }));
    const mine = changed('10.45.0.0/16', '10.47.0.0/16');
    await expect(services.update('shop', mine, { after: first.descriptorId })).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-CHANGED',
      details: { data: { newest: expect.stringContaining('desc-') } },
    });
    expect((await services.show('shop')).units.filter(({ path }) => path === 'web/web')).toHaveLength(3);
  });
});
