import { simulated } from '@superfluidity/driver-simulated';
import { openStore } from '@superfluidity/store';
import { expect, it } from 'vitest';
import { simulatedSite, testLifecycle } from './testing.ts';

it('pools are filled and emptied by hand, and told about', async () => {
  const store = await openStore('pglite:memory');
  const test = await testLifecycle({ store, kinds: [simulated] });
  const { sites, watcher } = test.lifecycle;
  await sites.add(simulatedSite('edge'));
  const driver = await sites.driver('edge');
  const { hosts } = await driver.fingerprint();
  const call = { key: 'prepare', fence: 1_000_000, signal: AbortSignal.timeout(10_000) };
  const execution = { environment: 'container', image: 'host:', command: ['any'] } as never;
  const unit = { service: 's', path: 'f/u', host: hosts[0]!.name, execution, cpu: 1, memoryMiB: 1, storageMiB: 0 };
  await driver.prepare('s', [{ template: { ...unit, ports: [] }, size: 3 }], call);
  const name = `s/f/u@${hosts[0]!.name}`;
  await expect.poll(() => sites.pool('edge', name)).toMatchObject({ ready: 3, minimum: 3, maximum: 3, paused: false });
  expect(await sites.freePools('edge', name)).toMatchObject([{ ready: 0, paused: true }]);
  expect(await watcher.pools()).toMatchObject([{ site: 'edge', name, ready: 0 }]);
  expect(await sites.populatePool('edge', name, 1)).toMatchObject({ paused: false });
  // It has its size again, not one above it.
  await expect.poll(() => sites.pool('edge', name)).toMatchObject({ ready: 3 });
  expect(await sites.freePools('edge', undefined)).toMatchObject([{ name, ready: 0 }]);
  const unknown = expect.objectContaining({ code: 'SF-LIFECYCLE-UNKNOWN' });
  await expect(sites.populatePool('edge', 'none', 1)).rejects.toThrow(unknown);
  await expect(sites.freePools('edge', 'none')).rejects.toThrow(unknown);
  await expect(sites.pool('edge', 'none')).rejects.toThrow(unknown);
  await test.close();
  await store.close();
});
