import { silentLogger, VirtualClock } from '@superfluidity/core';
import { activationOrder, type FabricCall, renderChain } from '@superfluidity/fabric';
import type { Execution } from '@superfluidity/model';
import type { SiteEvent, UnitSpec } from '@superfluidity/site';
import { describe, expect, test } from 'vitest';
import { simulated, type SimulatedSite } from './index.ts';

const signal = new AbortController().signal;
const call: FabricCall = { key: 'test', fence: 1, signal };
let worlds = 0;

/** A world of its own for each test: nothing is written there. */
function world() {
  worlds += 1;
  const clock = new VirtualClock(1_000_000);
  const open = async (name: string, config: object = {}): Promise<SimulatedSite> => {
    const site = await simulated.open({
      id: `site-${name}`,
      name,
      config: config as Record<string, unknown>,
      stateFolder: `/nowhere/simulated-test-${worlds}`,
      clock,
      log: silentLogger,
    });
    const number = name === 'edge' ? 1 : 2;
    await clock.runUntil(
      site.fabric.ensureNetwork(
        {
          id: 'net',
          service: 'svc',
          name: 'data',
          prefix: `10.60.${number}.0/24`,
          supernet: '10.60.0.0/16',
          mtu: 1400,
        },
        call,
      ),
    );
    return site;
  };
  return { clock, open };
}

function unit(id: string, changes: Partial<UnitSpec> & { readonly run?: Partial<Execution> } = {}): UnitSpec {
  const { run, ...rest } = changes;
  return {
    id,
    service: 'svc',
    path: id,
    index: 0,
    host: 'h1',
    execution: { environment: 'container', health: { kind: 'running', timeoutMs: 5000 }, ...run },
    cpu: 1,
    memoryMiB: 1024,
    storageMiB: 100,
    ports: [{ id: `port-${id}`, name: 'eth0', network: 'net', serviceAddresses: [] }],
    facts: {},
    ...rest,
  };
}

describe('racks and storage', () => {
  test('are as configured; what a unit takes is of the tier of its rack', async () => {
    const { clock, open } = world();
    const site = await open('edge', {
      hosts: { count: 5, hostsPerRack: 2 },
      storage: [
        { name: 'fast', kind: 'nvme', capacityMiB: 1_000, rack: 'r1' },
        { name: 'slow', kind: 'hdd', capacityMiB: 1_000, usedMiB: 950 },
      ],
    });
    await clock.runUntil(site.ensureUnits([unit('a', { host: 'h2' }), unit('b', { host: 'h3' })], call));
    const { hosts, storage } = await site.fingerprint();
    expect(hosts.map(({ rack, rackUnit }) => `${rack}/${rackUnit}`)).toEqual(['r1/1', 'r1/2', 'r2/1', 'r2/2', 'r3/1']);
    expect(storage).toMatchObject([
      { name: 'fast', usedMiB: 100, uses: [{ what: 'service svc', mib: 100 }] },
      // Promised is more than there is: it is full.
      { name: 'slow', usedMiB: 1_000, uses: [{ mib: 100 }] },
    ]);
  });
});

describe('time', () => {
  test('starting takes as long as the model says, the same for the same seed in any order', async () => {
    const config = { latency: { start: { kind: 'lognormal', medianMs: 50, sigma: 0.5 } } };
    const durations = async (ids: readonly string[]) => {
      const { clock, open } = world();
      const site = await open('edge', config);
      const took: Record<string, number> = {};
      for (const id of ids) {
        const from = clock.now();
        await clock.runUntil(site.ensureUnit(unit(id), call));
        took[id] = clock.now() - from;
      }
      return took;
    };
    const first = await durations(['a', 'b', 'c']);
    expect(await durations(['c', 'a', 'b'])).toEqual(first);
    expect(new Set(Object.values(first)).size).toBe(3);
    for (const ms of Object.values(first)) expect(ms).toBeGreaterThan(5);
  });

  test('many at once take as long as the slowest', async () => {
    const { clock, open } = world();
    const site = await open('edge', { latency: { start: { kind: 'fixed', ms: 70 } } });
    const from = clock.now();
    await clock.runUntil(
      site.ensureUnits(
        Array.from({ length: 10 }, (_, index) => unit(`u${index}`)),
        call,
      ),
    );
    expect(clock.now() - from).toBe(70);
  });

  test('a pooled unit starts in the time of a pooled unit', async () => {
    const { clock, open } = world();
    const site = await open('edge', {
      latency: {
        start: { kind: 'fixed', ms: 800 },
        startPooled: { kind: 'fixed', ms: 5 },
        prepare: { kind: 'fixed', ms: 790 },
      },
    });
    const { id: _id, index: _index, ports: _ports, facts: _facts, ...template } = unit('a');
    await site.prepare('svc', [{ template: { ...template, ports: [] }, size: 1 }], call);
    await clock.advance(790);
    const from = clock.now();
    expect((await clock.runUntil(site.ensureUnit(unit('a'), call))).pooled).toBe(true);
    expect(clock.now() - from).toBe(5);
    await site.close();
  });
});

describe('failures', () => {
  test('a scripted unit fails as often as it should, and leaves nothing', async () => {
    const { clock, open } = world();
    const site = await open('edge', { failures: { units: [{ path: 'a', times: 2 }] } });
    for (let times = 0; times < 2; times += 1) {
      await expect(clock.runUntil(site.ensureUnit(unit('a'), call))).rejects.toMatchObject({
        code: 'SF-SITE-UNIT-FAILED',
      });
      expect(await site.listUnits()).toEqual([]);
    }
    expect((await clock.runUntil(site.ensureUnit(unit('a'), call))).state).toBe('running');
  });

  test('about as many fail as the probability says', async () => {
    const { clock, open } = world();
    const site = await open('edge', {
      hosts: { count: 1, cpu: 5000, memoryMiB: 1e9, storageMiB: 1e9 },
      failures: { probability: 0.1 },
    });
    const specs = Array.from({ length: 2000 }, (_, index) => unit(`u${index}`, { ports: [] }));
    const outcomes = await clock.runUntil(site.ensureUnits(specs, call));
    const failed = outcomes.filter((outcome) => !outcome.ok).length;
    expect(failed).toBeGreaterThan(140);
    expect(failed).toBeLessThan(260);
    expect(await site.listUnits()).toHaveLength(2000 - failed);
  });

  test('a unit that is never ready holds the call for its time limit', async () => {
    const { clock, open } = world();
    const site = await open('edge', { failures: { neverReady: ['a'] } });
    const from = clock.now();
    await expect(clock.runUntil(site.ensureUnit(unit('a'), call))).rejects.toMatchObject({
      code: 'SF-SITE-UNIT-NOT-READY',
    });
    expect(clock.now() - from).toBe(5000);
  });

  test('a host that goes down takes its units with it, and can be used when it is back', async () => {
    const { clock, open } = world();
    const site = await open('edge', { failures: { hosts: [{ host: 'h1', downAtMs: 1000, upAtMs: 2000 }] } });
    await site.ensureUnits([unit('a'), unit('b', { host: 'h2' })], call);
    await clock.advance(1000);
    expect((await site.listUnits()).map((one) => one.state)).toEqual(['failed', 'running']);
    expect((await site.getUnit('a'))?.error?.message).toContain('host h1 is down');
    expect((await site.fingerprint()).hosts[0]?.schedulable).toBe(false);
    await expect(site.ensureUnit(unit('a'), call)).rejects.toMatchObject({ code: 'SF-SITE-UNAVAILABLE' });
    await clock.advance(1000);
    expect((await site.ensureUnit(unit('a'), call)).state).toBe('running');
  });

  test('a unit that crashed is seen, and made anew when it is ensured again', async () => {
    const { open } = world();
    const site = await open('edge');
    await site.ensureUnit(unit('a'), call);
    const events: SiteEvent[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of site.watch(stop.signal)) events.push(event);
    })();
    site.crashUnit('a');
    expect((await site.getUnit('a'))?.state).toBe('failed');
    expect((await site.ensureUnit(unit('a'), call)).state).toBe('running');
    stop.abort();
    await watching;
    expect(events).toContainEqual({ kind: 'unit', unitId: 'a', state: 'failed', reason: 'killed by signal 9' });
  });

  test('whoever reads too slowly is told so', async () => {
    const { open } = world();
    const site = await open('edge', { hosts: { count: 1, cpu: 1e6, memoryMiB: 1e9, storageMiB: 1e9 } });
    const stop = new AbortController();
    const watching = site.watch(stop.signal);
    const first = watching.next();
    await site.ensureUnits(
      Array.from({ length: 2000 }, (_, index) => unit(`u${index}`, { ports: [] })),
      call,
    );
    const seen = [(await first).value];
    stop.abort();
    for await (const event of watching) seen.push(event);
    expect(seen).toContainEqual({ kind: 'overflow' });
    expect(seen.length).toBeLessThanOrEqual(1024);
  });
});

describe('traffic', () => {
  /** ue and the firewall at the edge, video in the core and then at the edge; 20 ms between the sites. */
  async function moved(traffic: Record<string, unknown> = {}) {
    const { clock, open } = world();
    const serviceMs = { kind: 'fixed', ms: 2 };
    const edge = await open('edge', { traffic: { serviceMs, flows: 10, flowLifetimeMs: 1000, ...traffic } });
    const core = await open('core');
    const link = { id: 'link', a: 'edge', b: 'core', latencyMs: 20, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
    for (const site of [edge, core]) await site.fabric.ensureLink(link, call);
    const hop = async (site: SimulatedSite, id: string, run: Partial<Execution> = {}) => ({
      site: site.name,
      port: (await site.ensureUnit(unit(id, { run }), call)).ports[0]!,
      routerSid: (await site.fingerprint()).routerSid,
    });
    const ue = await hop(edge, 'ue', { telemetry: true });
    const firewall = await hop(edge, 'firewall');
    const activate = async (version: number, to: Awaited<ReturnType<typeof hop>>) => {
      const chain = { address: '10.99.0.1', protocol: 'tcp', ports: [80] } as const;
      const paths = renderChain({ chainId: 'chain', version, chain, hops: [ue, firewall, to] });
      const at = (path: (typeof paths)[number]) => (path.site === 'edge' ? edge : core).fabric;
      for (const path of paths) await at(path).ensurePath(path, call);
      for (const path of activationOrder(paths)) await at(path).activatePath(path.chainId, path.version, call);
    };
    await activate(1, await hop(core, 'video1'));
    await clock.advance(1000);
    await activate(2, await hop(edge, 'video2'));
    return { clock, edge, core };
  }

  test('flows stay on the version on which they began, and end there', async () => {
    const { clock, edge, core } = await moved();
    const count = () => Promise.all([1, 2].map((version) => edge.fabric.countFlows('chain', version)));
    expect(await count()).toEqual([10, 10]);
    await clock.advance(500);
    expect(await count()).toEqual([5, 10]);
    await clock.advance(500);
    expect(await count()).toEqual([0, 10]);
    expect(await core.fabric.countFlows('chain', 1)).toBe(0);
  });

  test('requests take what the links of the active version take, there and back, and none fails in a move', async () => {
    const { clock, edge } = await moved();
    await clock.advance(1000);
    const { lines, next } = await edge.readOutput('ue', 0);
    const samples = lines.map(
      (line) => JSON.parse(line) as { t: number; latencyMs: number; bytes: number; ok: boolean },
    );
    expect(samples).toHaveLength(20);
    expect(samples.map((sample) => sample.latencyMs)).toEqual([...Array(10).fill(42), ...Array(10).fill(2)]);
    expect(samples.every((sample) => sample.ok && sample.bytes > 100_000)).toBe(true);
    expect(new Set(samples.map((sample) => sample.bytes)).size).toBeGreaterThan(15);
    await clock.advance(100);
    const more = await edge.readOutput('ue', next);
    expect(more.lines.map((line) => (JSON.parse(line) as { t: number }).t)).toEqual([samples.at(-1)!.t + 100]);
  });

  test('requests fail where the chain leads nowhere', async () => {
    const { clock, edge } = await moved();
    await edge.fabric.removePath('chain', 2, call);
    const { next } = await edge.readOutput('ue', 0);
    await clock.advance(1000);
    const { lines } = await edge.readOutput('ue', next);
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ ok: false });
  });

  test('requests fail from the crash of a unit on the way until it is healed', async () => {
    const { clock, edge } = await moved();
    let offset = (await edge.readOutput('ue', 0)).next;
    const next = async () => {
      await clock.advance(500);
      const { lines, next: after } = await edge.readOutput('ue', offset);
      offset = after;
      return lines.map((line) => (JSON.parse(line) as { ok: boolean }).ok);
    };
    const before = (await edge.getUnit('firewall'))!.ports;
    edge.crashUnit('firewall');
    expect(await next()).toEqual(Array(5).fill(false));
    expect((await edge.ensureUnit(unit('firewall'), call)).ports).toEqual(before);
    expect(await next()).toEqual(Array(5).fill(true));
    // Removed and made again it has another SID, to which the chain does not lead.
    await edge.removeUnit('firewall', call);
    await edge.ensureUnit(unit('firewall'), call);
    expect(await next()).toEqual(Array(5).fill(false));
  });

  test('requests follow the latency of the links', async () => {
    const { clock, edge } = await moved();
    await edge.fabric.activatePath('chain', 1, call);
    const { next } = await edge.readOutput('ue', 0);
    await edge.fabric.ensureLink(
      { id: 'link', a: 'edge', b: 'core', latencyMs: 50, jitterMs: 0, loss: 0, bandwidthMbps: 100 },
      call,
    );
    await clock.advance(500);
    const { lines } = await edge.readOutput('ue', next);
    expect(lines.map((line) => (JSON.parse(line) as { latencyMs: number }).latencyMs)).toEqual(Array(5).fill(102));
  });

  test('load rises and falls as its profile says, however it is read', async () => {
    const profile = [
      { afterMs: 1_050, requestIntervalMs: 10 },
      { afterMs: 2_000, requestIntervalMs: 500 },
    ];
    const { clock, edge } = await moved({ profile });
    const times: number[] = [];
    let offset = 0;
    for (const step of [37, 400, 613, 1, 999, 3_000]) {
      await clock.advance(step);
      const { lines, next } = await edge.readOutput('ue', offset);
      for (const line of lines) times.push((JSON.parse(line) as { t: number }).t);
      offset = next;
    }
    const start = times[0]!;
    const every = (from: number, to: number, by: number) =>
      Array.from({ length: Math.ceil((to - from) / by) }, (_, i) => from + i * by);
    const all = [...every(0, 1_050, 100), ...every(1_050, 2_000, 10), ...every(2_000, 9_000, 500)];
    expect(times.map((t) => t - start)).toEqual(all.slice(0, times.length));
    expect(times.length).toBe(11 + 95 + Math.floor((1_000 + 37 + 400 + 613 + 1 + 999 + 3_000 - 2_000) / 500));
  });

  test('one read is bounded, and the next goes on', async () => {
    const { clock, edge } = await moved();
    await clock.advance(200_000);
    const first = await edge.readOutput('ue', 0);
    expect(first.lines).toHaveLength(1000);
    const second = await edge.readOutput('ue', first.next);
    expect(JSON.parse(second.lines[0]!)).toMatchObject({ t: 1_000_000 + 1000 * 100 });
  });
});

describe('configuration', () => {
  test.each([
    [{ hosts: { count: 0 } }, 'hosts'],
    [{ hosts: [] }, 'hosts'],
    [{ host: 3 }, 'host'],
    [{ latency: { start: { kind: 'pareto' } } }, 'latency.start'],
    [{ failures: { probability: 2 } }, 'failures.probability'],
  ])('refuses %j', async (config, where) => {
    await expect(world().open('edge', config)).rejects.toMatchObject({
      code: 'SF-SITE-CONFIG',
      message: expect.stringContaining(where),
    });
  });

  test('has a schema for forms', () => {
    expect(simulated.configSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(Object.keys((simulated.configSchema as { properties: object }).properties)).toContain('latency');
  });

  test('takes a list of hosts', async () => {
    const site = await world().open('edge', { hosts: [{ name: 'rack', environments: ['vm'], cpu: 2 }] });
    const { hosts, environments, realPackets } = await site.fingerprint();
    expect(hosts).toMatchObject([{ name: 'rack', cpu: 2, environments: ['vm'], used: { cpu: 0 } }]);
    expect(environments).toEqual(['vm']);
    expect(realPackets).toBe(false);
    await expect(site.ensureUnit(unit('a', { host: 'rack' }), call)).rejects.toMatchObject({
      code: 'SF-SITE-ENVIRONMENT',
    });
  });
});
