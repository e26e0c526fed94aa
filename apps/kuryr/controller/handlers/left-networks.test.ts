import { silentLogger, VirtualClock } from '@superfluidity/core';
import { KURYR } from '@superfluidity/fabric';
import { expect, test } from 'vitest';
import { linuxNetwork } from '../drivers/subnets.ts';
import { linuxVif } from '../drivers/vif-linux.ts';
import { VifPools } from '../drivers/vif-pools.ts';
import { LEFT_NETWORKS, LeftNetworkHandler } from './left-networks.ts';

const [kept, left] = [linuxNetwork('10.0.0.0/26', 1_450, undefined), linuxNetwork('10.0.1.0/26', 1_450, undefined)];
const never = new AbortController().signal;

test('ports in a network that no namespace names any more go: those of pools at once, those of pods when they come back', async () => {
  const clock = new VirtualClock();
  const vifs = new VifPools({
    clock,
    log: silentLogger,
    // As those of a cloud are.
    types: [
      {
        ...linuxVif({ bridge: 'pods' }),
        kind: 'neutron-vif',
        plugging: ({ id }) => ({ kind: 'ovs', bridge: 'br-int', interfaceId: id }),
      },
    ],
    kind: 'neutron-vif',
    keep: { ...KURYR, minimum: 2, batch: 3, foresees: false },
    updateMs: 20_000,
    verify: true,
    names: false,
    stopwatch: () => clock.now(),
  });
  await vifs.recover([]);
  const ask = (subnet: typeof kept) => {
    const wish = { node: { metadata: { name: 'a' } }, project: '', subnet, groups: [], isDefault: true, owner: '' };
    return clock.runUntil(vifs.acquire({ ...wish, holder: 'uid' }, never));
  };
  const given = [await ask(kept), await ask(left)];
  await clock.runUntil(vifs.settled());
  expect(vifs.cloudNetworks()).toEqual(new Set([kept.networkId, left.networkId]));

  let named = new Set([kept.networkId, left.networkId]);
  const handler = new LeftNetworkHandler(async () => named, vifs);
  const handle = () => clock.runUntil(handler.handle(LEFT_NETWORKS, never));
  const ready = () => Object.fromEntries(vifs.stats().map(({ name, ready: count }) => [name, count]));
  expect(await handle()).toBeUndefined();
  expect(Object.values(ready())).toHaveLength(2);

  named = new Set([kept.networkId]);
  expect(await handle()).toBeGreaterThan(0);
  // Its pod is still there.
  expect(vifs.cloudNetworks()).toContain(left.networkId);
  expect(Object.keys(ready()).join()).not.toContain(left.networkId);
  expect(vifs.release(given[1]!, 'uid')).toBe(true);
  await clock.runUntil(vifs.settled());
  expect(await handle()).toBeGreaterThan(0);
  expect(await handle()).toBeUndefined();
  expect(vifs.cloudNetworks()).toEqual(new Set([kept.networkId]));
  expect(vifs.inUse()).toEqual([['neutron-vif', 1]]);
  await vifs.close();
});
