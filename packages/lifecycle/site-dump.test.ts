import { simulated } from '@superfluidity/driver-simulated';
import type { DataPlaneFile, DriverKind, SiteDriver } from '@superfluidity/site';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedSite, testLifecycle, type TestLifecycle } from './testing.ts';

/** What a site says when it is asked for its networks. */
const says: Pick<SiteDriver, 'readIntent' | 'readDataPlane'> = {};
const kind: DriverKind = {
  ...simulated,
  open: async (options) =>
    new Proxy<SiteDriver>(await simulated.open(options), {
      get(of, name) {
        if (name === 'readIntent' || name === 'readDataPlane') return says[name];
        const value: unknown = Reflect.get(of, name, of);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    }),
};

let store: Store;
let test: TestLifecycle;
beforeAll(async () => {
  store = await openStore('pglite:memory');
  test = await testLifecycle({ store, kinds: [kind] });
  await test.lifecycle.sites.add(simulatedSite('core'));
}, 60_000);
afterAll(async () => {
  await test.close();
  await store.close();
});

describe('the networks of a site', () => {
  it('are what was asked of a cloud, what a site of Linux has, or a refusal', async () => {
    const { sites } = test.lifecycle;
    await expect(sites.dump('core')).rejects.toMatchObject({ code: 'SF-SITE-NO-DUMP' });
    const networks: DataPlaneFile = { name: 'networks.json', text: '{"networks": []}\n' };
    Object.assign(says, { readIntent: async () => [networks] });
    expect(await sites.dump('core')).toEqual({ intent: [networks], realised: [] });
    const links: DataPlaneFile = { name: 'r.links', text: '1: lo\n' };
    Object.assign(says, { readIntent: undefined, readDataPlane: async () => ({ files: [links], ports: [] }) });
    expect(await sites.dump('core')).toEqual({ intent: [], realised: [links] });
    await expect(sites.dump('nowhere')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-UNKNOWN' });
  });
});
