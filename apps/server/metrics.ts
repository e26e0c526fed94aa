import type { Duration, ListedPool } from '@superfluidity/api';
import type { ClosableEventLog, NewEvent } from '@superfluidity/observe';
import type { Store } from '@superfluidity/store';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { durationsBy } from './durations.ts';

/** A pool of a site, as the API tells it. */
export type PoolCount = Pick<
  ListedPool,
  'site' | 'name' | 'ready' | 'hits' | 'misses' | 'making' | 'waiting' | 'inUse'
> &
  Pick<ListedPool, 'active' | 'late' | 'recycled' | 'oldestMs' | 'waits'>;

export interface MetricsSources {
  readonly store: Store;
  readonly pools: () => Promise<readonly PoolCount[]>;
  /** Decisions on scaling of this server. */
  readonly scaling: () => readonly { readonly kind: string; readonly outcome: string; readonly count: number }[];
}

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** Steps by verb and requests by route, with how long they took. */
  durations(): Promise<readonly Duration[]>;
  request(method: string, route: string, status: number, elapsedMs: number): void;
  /** The same log, counted as it is written. */
  watch(events: ClosableEventLog): ClosableEventLog;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Steps whose end is awaited; those above it are not measured. */
const STEPS_AT_ONCE = 20_000;
/** Units that scale by themselves: more are not told one by one. */
const SCALED_UNITS = 1_000;

/** Prometheus exposition, version 0.0.4. What the database or the sites know is asked for when somebody scrapes. */
export function createMetrics({ store, pools, scaling }: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Histogram({
    name: 'superfluidity_http_request_seconds',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const steps = new Histogram({
    name: 'superfluidity_step_seconds',
    help: 'Durations of finished steps of operations, by verb and outcome',
    labelNames: ['verb', 'state'],
    buckets: SECONDS,
    registers,
  });
  const events = new Counter({
    name: 'superfluidity_events_total',
    help: 'Events of this server',
    labelNames: ['kind', 'severity'],
    registers,
  });
  new Gauge({
    name: 'superfluidity_operations',
    help: 'Operations in the database, by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const rows = await store.db
        .selectFrom('operation')
        .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute();
      this.reset();
      for (const { state, count } of rows) this.set({ state }, Number(count));
    },
  });
  registerPools(registers, pools);

  new Gauge({
    name: 'superfluidity_scaling_decisions',
    help: 'Decisions of this server on units that scale by themselves, by kind of policy and outcome, since it was started',
    labelNames: ['kind', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { kind, outcome, count } of scaling()) this.set({ kind, outcome }, count);
    },
  });
  new Gauge({
    name: 'superfluidity_scaling_instances',
    help: 'Instances of units that scale by themselves: what there is (wanted) and what runs of it (running)',
    labelNames: ['service', 'unit', 'what'],
    registers,
    async collect() {
      const rows = await store.db
        .selectFrom('scaling_policy')
        .innerJoin('unit', (join) =>
          join.onRef('unit.service', '=', 'scaling_policy.service').onRef('unit.path', '=', 'scaling_policy.unit'),
        )
        .select((eb) => [
          'scaling_policy.service',
          'scaling_policy.unit',
          eb.fn.countAll<number>().as('wanted'),
          eb.fn.countAll<number>().filterWhere('unit.state', '=', 'running').as('running'),
        ])
        .where('scaling_policy.active', '=', true)
        .groupBy(['scaling_policy.service', 'scaling_policy.unit'])
        .limit(SCALED_UNITS)
        .execute();
      this.reset();
      for (const { service, unit, wanted, running } of rows) {
        this.set({ service, unit, what: 'wanted' }, Number(wanted));
        this.set({ service, unit, what: 'running' }, Number(running));
      }
    },
  });

  const begun = new Map<string, number>();
  const count = (event: NewEvent) => {
    events.inc({ kind: event.kind, severity: event.severity });
    if (event.kind !== 'step' || event.body['progress'] !== undefined) return;
    const { step, state, verb = 'unknown' } = event.body;
    const key = `${event.subject}/${step}`;
    if (state === 'running' || state === 'undoing') {
      if (begun.size < STEPS_AT_ONCE) begun.set(key, performance.now());
      return;
    }
    const since = begun.get(key);
    if (since === undefined) return;
    begun.delete(key);
    steps.observe({ verb: String(verb), state: String(state) }, (performance.now() - since) / 1_000);
  };

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    durations: async () => [
      ...durationsBy('step', await steps.get(), ({ verb }) => String(verb)),
      ...durationsBy('request', await requests.get(), ({ method, route }) => `${method} ${route}`),
    ],
    request: (method, route, status, elapsedMs) =>
      requests.observe({ method, route, status: String(status) }, elapsedMs / 1_000),
    watch: (log) => ({
      ...log,
      append(event) {
        count(event);
        log.append(event);
      },
    }),
  };
}

/** What pools tell: their counters are kept by the sites, and read when somebody scrapes. */
function registerPools(registers: Registry[], pools: MetricsSources['pools']): void {
  // Read once for a scrape, although several metrics tell of it.
  let reading: Promise<readonly PoolCount[]> | undefined;
  const read = () => {
    reading ??= pools().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  new Gauge({
    name: 'superfluidity_pool_count',
    help: 'Pools of the sites: what is ready, is active among that, is made, is in use and who waits now; requests served from the pool (hits), with what was not active yet (late), or not (misses), and what came back (recycled) so far',
    labelNames: ['site', 'pool', 'what'],
    registers,
    async collect() {
      this.reset();
      for (const { site, name: pool, ready, making, waiting, hits, misses, recycled, ...more } of await read()) {
        const { inUse, active, late } = more;
        const told = { ready, making, waiting, hits, misses, recycled, inUse, active, late };
        for (const [what, count] of Object.entries(told))
          if (count !== undefined) this.set({ site, pool, what }, count);
      }
    },
  });
  new Gauge({
    name: 'superfluidity_pool_age_seconds',
    help: 'How long the oldest thing has lain in the pool',
    labelNames: ['site', 'pool'],
    registers,
    async collect() {
      this.reset();
      for (const { site, name: pool, oldestMs } of await read())
        if (oldestMs !== undefined) this.set({ site, pool }, oldestMs / 1_000);
    },
  });
  for (const registry of registers) registry.registerMetric(waitHistogram(read) as unknown as Histogram);
}

/** The sites have counted already: a `Histogram` of prom-client takes one observation after the other only. */
function waitHistogram(read: MetricsSources['pools']) {
  const name = 'superfluidity_pool_wait_seconds';
  const help = 'How long those who asked waited for a thing of the pool, made for them where none was ready';
  return {
    name,
    get: async () => {
      const values = (await read()).flatMap(({ site, name: pool, waits: { boundsMs, counts, sumMs } }) => {
        let sum = 0;
        const buckets = counts.map((count, at) => {
          sum += count;
          const bound = boundsMs[at];
          const le = bound === undefined ? '+Inf' : String(bound / 1_000);
          return { metricName: `${name}_bucket`, labels: { le, site, pool }, value: sum };
        });
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels: { site, pool }, value: sumMs / 1_000 },
          { metricName: `${name}_count`, labels: { site, pool }, value: sum },
        ];
      });
      return { name, help, type: 'histogram', aggregator: 'sum', values };
    },
  };
}
