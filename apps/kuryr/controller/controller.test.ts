import { silentLogger, VirtualClock } from '@superfluidity/core';
import type { KubeObject } from '@superfluidity/driver-kubernetes';
import { type KuryrPort, kuryrPortSchema, type PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kuryrNetworkPolicySchema } from '../api/network-policy.ts';
import { readKuryrConfig } from './config.ts';
import { Controller } from './controller.ts';
import type { Term } from './leader.ts';
import { Metrics } from './metrics.ts';
import { type Fate, type Luck, ModelApiServer } from './testing/model-api-server.ts';

const PODS = '/api/v1/namespaces/red/pods';
const EVENTS = '/api/v1/events';
const PORTS = '/apis/superfluidity.dev/v1/kuryrports';
const POLICIES = '/apis/superfluidity.dev/v1/kuryrnetworkpolicies';
/** All that was given up has arrived or not, and each failure has rested as long as it may. */
const CALM_MS = 200_000;

/** The first one. */
const TERM: Term = { lease: { metadata: { namespace: 'kube-system', name: 'kuryr' } }, before: '' };

class Run {
  readonly clock = new VirtualClock(1_000_000);
  readonly server = new ModelApiServer(this.clock);
  readonly #config: ReturnType<typeof readKuryrConfig>;
  #current: { readonly controller: Controller; kill(): Promise<void> } | undefined;

  constructor(more: object = {}) {
    const base = { cluster: 'test', drivers: { vif: 'linux' }, linux: { cidr: 'node' } };
    this.#config = readKuryrConfig({ ...base, pool: { minimum: 2, batch: 4, foresees: false }, ...more }, 'a test');
    this.server.create('/api/v1/namespaces', { metadata: { name: 'red', labels: {} } });
    for (const [at, name] of ['a', 'b'].entries())
      this.server.create('/api/v1/nodes', {
        metadata: { name },
        spec: { podCIDR: `10.${at}.0.0/25` },
      } as KubeObject);
  }

  async start(): Promise<void> {
    const { clock, server } = this;
    const stop = new AbortController();
    const { cluster, cut } = server.connect();
    const metrics = new Metrics({
      isLeader: () => true,
      queues: () => ({}),
      vifs: () => undefined,
      eventsDropped: () => 0,
    });
    const controller = new Controller({
      config: this.#config,
      cluster,
      cloud: undefined,
      clock,
      timeOfDay: clock,
      log: silentLogger,
      metrics: () => metrics,
      stopwatch: () => clock.now(),
      term: TERM,
      identity: 'test',
    });
    const running = controller.run(stop.signal);
    running.catch(() => {});
    const kill = async () => {
      cut();
      stop.abort();
      await clock.runUntil(running.catch(() => {}));
      // What a dead one has sent may come as long as nobody leads: that is another matter.
      server.forgetLate();
    };
    this.#current = { controller, kill };
    await clock.advance(0);
  }

  async kill(): Promise<void> {
    await this.#current!.kill();
  }

  pod(name: string, nodeName: string): void {
    this.server.create(PODS, {
      metadata: { name },
      spec: { nodeName, containers: [] },
      status: { phase: 'Pending' },
    } as KubeObject);
  }

  /** Written KuryrPorts, whoever's. */
  ports(): readonly KuryrPort[] {
    return this.server.all(PORTS).map((object) => kuryrPortSchema.parse(object));
  }

  addresses(): readonly string[] {
    return this.ports().flatMap(({ status }) =>
      Object.values(status?.interfaces ?? {}).flatMap(({ addresses }) => addresses),
    );
  }

  /** Of pods. */
  reasons(): readonly string[] {
    const all = this.server.all(EVENTS) as readonly (KubeObject & {
      readonly reason: string;
      readonly involvedObject: { readonly kind: string };
    })[];
    return all.flatMap(({ reason, involvedObject: { kind } }) => (kind === 'Pod' ? [reason] : []));
  }

  /** How often objects of the handler were looked at. */
  handled(handler: string): number {
    return this.#current!.controller.counts()[handler]!.handled;
  }

  inUse(): number {
    return this.#current!.controller.drivers.vifs.inUse()[0]![1];
  }
}

describe('the controller', () => {
  test('makes the KuryrPort of a pod as it is to be by one request, and tells of it in one event', async () => {
    const run = new Run();
    await run.start();
    run.pod('one', 'a');
    await run.clock.advance(1_000);
    expect(run.ports()).toMatchObject([{ status: { interfaces: { eth0: { active: true, isDefault: true } } } }]);
    const ofPorts = [...run.server.writes].filter(([what]) => what.endsWith('kuryrports'));
    expect(ofPorts).toEqual([[`create ${PORTS}`, 1]]);
    expect(run.reasons()).toEqual(['KuryrInterfaceReady']);
    await run.kill();
  });

  test('makes it without interfaces where these cannot be had, and says why', async () => {
    const run = new Run();
    await run.start();
    run.pod('lost', 'nowhere');
    await run.clock.advance(5_000);
    expect(run.ports().map(({ status }) => status)).toEqual([undefined]);
    expect(new Set(run.reasons())).toEqual(new Set(['KuryrPortCreated', 'KuryrFailed']));
    await run.kill();
  });

  test('does not give to another what it has sent without an answer, until that cannot arrive any more', async () => {
    const run = new Run();
    await run.start();
    let fate: Fate = { kind: 'late', ms: 20_000 };
    run.server.luck = () => ({ fate, tookMs: 0 });
    run.pod('one', 'a');
    await run.clock.advance(0);
    // Before it is sent a second time.
    run.server.delete(`${PODS}/one`);
    await run.clock.advance(1_000);
    fate = { kind: 'answered' };
    expect([run.ports(), run.inUse()]).toEqual([[], 1]);
    const others = Array.from({ length: 100 }, (_, at) => `other-${at}`);
    for (const name of others) run.pod(name, 'a');
    const seen: string[][] = [];
    run.server.onChange = () => void seen.push([...run.addresses()]);
    await run.clock.advance(40_000);
    // It came, and went again.
    expect(seen.some((all) => all.length === 101)).toBe(true);
    for (const all of seen) expect(new Set(all).size).toBe(all.length);
    expect([run.ports().length, run.inUse()]).toEqual([100, 100]);
    await run.kill();

    const never = new Run();
    await never.start();
    never.server.luck = () => ({ fate: { kind: 'lost' }, tookMs: 0 });
    never.pod('one', 'a');
    await never.clock.advance(0);
    never.server.delete(`${PODS}/one`);
    await never.clock.advance(60_000);
    expect(never.inUse()).toBe(1);
    await never.clock.advance(10_000);
    expect(never.inUse()).toBe(0);
    await never.kill();
  });

  test('takes what the leader before it wrote late, and gives back what it meant to write itself', async () => {
    const run = new Run();
    await run.start();
    run.server.luck = () => ({ fate: { kind: 'lost' }, tookMs: 0 });
    run.pod('one', 'a');
    await run.clock.advance(0);
    expect(run.inUse()).toBe(1);
    const [pod] = run.server.all('/api/v1/pods');
    const given: PodInterface = {
      id: '10.0.0.99@10.0.0.0/25',
      mac: '02:00:00:00:00:99',
      addresses: ['10.0.0.99/25'],
      routes: [],
      mtu: 1_500,
      active: true,
      isDefault: true,
      plugging: { kind: 'bridge', bridge: 'sf-pods' },
    };
    run.server.create('/apis/superfluidity.dev/v1/namespaces/red/kuryrports', {
      metadata: { name: 'one', finalizers: ['superfluidity.dev/kuryr-port'] },
      spec: { podUid: pod!.metadata.uid!, node: 'a' },
      status: { interfaces: { eth0: given } },
    } as KubeObject);
    run.server.luck = () => ({ fate: { kind: 'answered' }, tookMs: 0 });
    await run.clock.advance(CALM_MS);
    expect([run.addresses(), run.inUse()]).toEqual([['10.0.0.99/25'], 1]);
    run.server.delete(`${PODS}/one`);
    await run.clock.advance(1_000);
    expect([run.ports(), run.inUse()]).toEqual([[], 0]);
    await run.kill();
  });

  test('takes back what a pod had that went while nobody led, though nobody deletes its KuryrPort', async () => {
    const run = new Run();
    await run.start();
    run.pod('one', 'a');
    await run.clock.advance(1_000);
    await run.kill();
    run.server.delete(`${PODS}/one`);
    expect(run.ports()).toHaveLength(1);
    await run.start();
    await run.clock.advance(1_000);
    expect([run.ports(), run.inUse()]).toEqual([[], 0]);
    await run.kill();
  });

  test('pods that come together are few changes of the policy that selects them, and none of ports of others', async () => {
    const run = new Run({ drivers: { vif: 'linux', groups: 'policy' } });
    run.server.create('/apis/networking.k8s.io/v1/namespaces/red/networkpolicies', {
      metadata: { name: 'each-other' },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
    } as KubeObject);
    await run.start();
    await run.clock.advance(1_000);
    const written = () =>
      [...run.server.writes].reduce((sum, [what, count]) => sum + (what.endsWith(POLICIES) ? count : 0), 0);
    const before = written();
    for (let at = 0; at < 40; at += 1) run.pod(`p${at}`, 'a');
    await run.clock.advance(1_000);
    expect(run.addresses()).toHaveLength(40);
    const [resolved] = run.server.all(POLICIES).map((object) => kuryrNetworkPolicySchema.parse(object));
    expect(resolved!.spec.pods).toHaveLength(40);
    // What it says, and that it is carried out: at once, and when the rest has come.
    expect(written() - before).toBeLessThanOrEqual(6);
    const looks = run.handled('ports');
    run.pod('last', 'a');
    await run.clock.advance(1_000);
    expect(run.handled('ports') - looks).toBeLessThan(10);
    await run.kill();
  });

  test('whatever is lost, repeated or late, and whenever it is killed: no address has two pods, and none is lost', async () => {
    const act = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('begin' as const), node: fc.constantFrom('a', 'b') }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), at: fc.nat() }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat(), isOver: fc.boolean() }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), afterMs: fc.nat(50) }) },
    );
    const fate: fc.Arbitrary<Fate> = fc.oneof(
      { weight: 4, arbitrary: fc.constant({ kind: 'answered' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'lost' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'unanswered' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'repeated' } as const) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('late' as const), ms: fc.nat(50_000) }) },
    );
    const luck: fc.Arbitrary<Luck & { readonly lagMs: number }> = fc.record({
      fate,
      tookMs: fc.nat(30),
      lagMs: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), fc.infiniteStream(luck), async (acts, chance) => {
        const run = new Run();
        const next = () => chance.next().value!;
        run.server.luck = next;
        run.server.lagMs = () => next().lagMs;
        const shared: string[][] = [];
        run.server.onChange = () => {
          const all = run.addresses();
          if (new Set(all).size !== all.length) shared.push([...all]);
        };
        await run.start();
        const pods = new Map<string, 'waits' | 'over'>();
        for (const [count, one] of acts.entries()) {
          const chosen = 'at' in one ? [...pods.keys()][one.at % Math.max(1, pods.size)] : undefined;
          if (one.kind === 'wait') await run.clock.advance(one.ms);
          else if (one.kind === 'kill') {
            await run.clock.advance(one.afterMs);
            await run.kill();
            await run.start();
          } else if (one.kind === 'begin') {
            run.pod(`p${count}`, one.node);
            pods.set(`p${count}`, 'waits');
          } else if (chosen === undefined) continue;
          else if (one.kind === 'again') {
            run.server.delete(`${PODS}/${chosen}`);
            run.pod(chosen, 'b');
            pods.set(chosen, 'waits');
          } else if (one.isOver) {
            run.server.merge(`${PODS}/${chosen}`, { status: { phase: 'Succeeded' } });
            pods.set(chosen, 'over');
          } else {
            run.server.delete(`${PODS}/${chosen}`);
            pods.delete(chosen);
          }
        }
        run.server.luck = () => ({ fate: { kind: 'answered' }, tookMs: 1 });
        run.server.lagMs = () => 0;
        await run.clock.advance(CALM_MS);
        const waiting = [...pods].flatMap(([name, state]) => (state === 'waits' ? [name] : []));
        expect(shared).toEqual([]);
        expect(
          run
            .ports()
            .map(({ metadata }) => metadata.name)
            .toSorted(),
        ).toEqual(waiting.toSorted());
        expect(run.addresses()).toHaveLength(waiting.length);
        expect(run.inUse()).toBe(waiting.length);
        await run.kill();
      }),
      { numRuns: 40 },
    );
  });
});
