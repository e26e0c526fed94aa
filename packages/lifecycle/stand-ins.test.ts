import { simulated, type SimulatedSite } from '@superfluidity/driver-simulated';
import type { PortQuality } from '@superfluidity/model';
import type { DriverKind } from '@superfluidity/site';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';
import { descriptor, done } from './testing/two-sites.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());

let running: TestLifecycle | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** Two kinds of sites between which nobody carries packets. */
const apart = { ...simulated, kind: 'apart', joins: () => ({ kinds: [], hint: 'Give it a gateway.' }) };

/** Of a chain over several sites its sites have the first or the last hop alone. */
const ends: DriverKind = {
  ...simulated,
  kind: 'ends',
  async open(options) {
    const site = await simulated.open(options);
    const fingerprint = site.fingerprint.bind(site);
    return Object.assign(site, { fingerprint: async () => ({ ...(await fingerprint()), crossing: 'ends' }) });
  },
};

async function start(): Promise<TestLifecycle> {
  running = await testLifecycle({ store, kinds: [simulated, apart, ends] });
  const { sites } = running.lifecycle;
  for (const name of ['north', 'south', 'edge']) await sites.add(simulatedSite(name));
  await sites.add({ ...simulatedSite('cloud'), kind: 'apart' });
  await sites.setLink({ a: 'north', b: 'south', latencyMs: 5, jitterMs: 0, loss: 0, bandwidthMbps: 100 });
  return running;
}

it('puts what asks for a tier at the site that stands for it, and nothing elsewhere, also when it is moved and healed', async () => {
  const { services, sites } = (await start()).lifecycle;
  const how = { sites: { edge: 'north', core: 'south' } };
  await expect(services.plan(descriptor, 'stream', { sites: { edge: 'nowhere' } })).rejects.toMatchObject({
    code: 'SF-LIFECYCLE-UNKNOWN',
  });
  const plan = await services.plan(descriptor, 'stream', how);
  for (const { site } of plan.assignments) expect(['north', 'south']).toContain(site);
  expect(plan.assignments.find(({ path }) => path === 'ue/ue')?.site).toBe('north');
  expect(await done(running!, services.deploy(descriptor, 'stream', how))).toMatchObject({ state: 'COMPLETED' });
  const { units } = await services.show('stream');
  const ue = units.find(({ path }) => path === 'ue/ue')!;
  // The host is out: another of the same site is chosen, though the site `edge` has the tier.
  const north = sites.drivers().get('north') as SimulatedSite;
  north.setHost(ue.host, false);
  await done(running!, services.heal('stream'));
  const healed = (await services.show('stream')).units.find(({ path }) => path === 'ue/ue')!;
  expect([healed.site, healed.host === ue.host]).toEqual(['north', false]);
});

it('refuses a plan whose ports a site cannot treat as they ask, and names what it lacks', async () => {
  const limiting: typeof simulated = {
    ...simulated,
    open: async (options) => {
      const site = await simulated.open(options);
      const read = site.fingerprint.bind(site);
      return Object.assign(site, {
        fingerprint: async () => ({ ...(await read()), qualities: ['bandwidth'] as const }),
      });
    },
  };
  running = await testLifecycle({ store, kinds: [limiting] });
  const { services, sites } = running.lifecycle;
  for (const name of ['edge', 'core']) await sites.add(simulatedSite(name));
  const asking = (quality: PortQuality) => {
    const [radio, ...others] = descriptor.service.block.children;
    const [unit, ...siblings] = radio!.children;
    const ports = unit!.ports.map((port) => ({ ...port, ...quality }));
    const children = [{ ...radio!, children: [{ ...unit!, ports }, ...siblings] }, ...others];
    const block = { ...descriptor.service.block, children };
    return { ...descriptor, service: { ...descriptor.service, block } };
  };
  await expect(services.plan(asking({ bandwidthMbps: 5 }), 'stream')).resolves.toHaveProperty('assignments');
  const refused = services.plan(asking({ bandwidthMbps: 5, guaranteedMbps: 5, dscp: 46 }), 'stream');
  await expect(refused).rejects.toMatchObject({
    code: 'SF-FABRIC-QUALITY',
    details: { reason: expect.stringMatching(/no guaranteed bandwidth.*no marking/) },
  });
});

it('refuses to link kinds between which packets do not go, and places no chain across them', async () => {
  const { services, sites } = (await start()).lifecycle;
  const link = { a: 'cloud', b: 'north', latencyMs: 5, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
  await expect(sites.setLink(link)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-LINK' });
  const plan = await services.plan(descriptor, 'stream', { sites: { edge: 'north', core: 'cloud' } });
  expect(plan.chains).toMatchObject([{ sites: ['north', 'north', 'north'] }]);
});

it('plans no chain that has a function between two others at a site which can have its ends alone', async () => {
  const { services, sites } = (await start()).lifecycle;
  await sites.add({ ...simulatedSite('rim'), kind: 'ends' });
  const link = { latencyMs: 5, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
  for (const a of ['edge', 'north']) await sites.setLink({ a, b: 'rim', ...link });
  const at = (firewall: string, video: string) => {
    const text = descriptor.source
      .replace(/(name: firewall[^]*?)sites: \[edge\]/, `$1sites: [${firewall}]`)
      .replace(/memoryMiB: 64 \}\n {6}drain/, `memoryMiB: 64, location: { sites: [${video}] } }\n      drain`);
    return services.plan(native(text), 'stream');
  };
  await expect(at('rim', 'edge')).rejects.toMatchObject({
    code: 'SF-FABRIC-CHAIN',
    message: expect.stringContaining('rim can have the first or the last hop alone'),
  });
  await expect(at('rim', 'rim')).rejects.toMatchObject({ code: 'SF-FABRIC-CHAIN' });
  expect((await at('edge', 'rim')).chains).toMatchObject([{ sites: ['edge', 'edge', 'rim'] }]);
  await expect(sites.setLink({ a: 'cloud', b: 'edge', ...link })).rejects.toMatchObject({
    code: 'SF-LIFECYCLE-LINK',
    details: { hint: 'cloud: Give it a gateway.' },
  });
});
