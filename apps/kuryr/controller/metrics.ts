import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { VifPools } from './drivers/vif-pools.ts';
import type { QueueCounts } from './queue.ts';

/** From a tenth of a millisecond to ten seconds: with a pool it is the former. */
const BUCKETS_S = [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricsParts {
  readonly isLeader: () => boolean;
  /** Of the controller that leads at present. */
  readonly queues: () => Readonly<Record<string, QueueCounts>>;
  readonly vifs: () => VifPools | undefined;
  readonly eventsDropped: () => number;
}

/** What the controller counts, in the text form of Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #handleSeconds: Histogram<'handler'>;
  readonly #portSeconds: Histogram;
  readonly #failures: Counter<'handler' | 'code'>;
  readonly #cloudSeconds: Histogram<'service' | 'method' | 'status'>;

  constructor({ isLeader, queues, vifs, eventsDropped }: MetricsParts) {
    const registers = [this.#registry];
    const buckets = BUCKETS_S;
    this.#handleSeconds = new Histogram({
      name: 'kuryr_handle_seconds',
      help: 'How long objects were handled',
      labelNames: ['handler'],
      buckets,
      registers,
    });
    this.#portSeconds = new Histogram({
      name: 'kuryr_port_seconds',
      help: 'From the moment at which a pod on a node was seen to its interfaces',
      buckets,
      registers,
    });
    this.#failures = new Counter({
      name: 'kuryr_failures_total',
      help: 'Attempts that failed, by the code of the error',
      labelNames: ['handler', 'code'],
      registers,
    });
    this.#cloudSeconds = new Histogram({
      name: 'kuryr_cloud_request_seconds',
      help: 'Requests to the cloud',
      labelNames: ['service', 'method', 'status'],
      buckets,
      registers,
    });
    const gauge = <L extends string>(
      name: string,
      help: string,
      labelNames: readonly L[],
      read: (to: Gauge<L>) => void,
    ) =>
      new Gauge<L>({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect() {
          this.reset();
          read(this);
        },
      });
    gauge('kuryr_leader', 'Whether this replica leads', [], (to) => to.set(isLeader() ? 1 : 0));
    gauge('kuryr_events_dropped', 'Events that could not be written', [], (to) => to.set(eventsDropped()));
    gauge('kuryr_queue', 'Objects that wait, are handled, or rest after a failure', ['handler', 'state'], (to) => {
      for (const [handler, counts] of Object.entries(queues()))
        for (const state of ['waiting', 'handling', 'resting'] as const) to.set({ handler, state }, counts[state]);
    });
    gauge(
      'kuryr_pool_ports',
      'Ports of pools; active are those that are ready and carry traffic',
      ['vif', 'pool', 'state'],
      (to) => {
        for (const { kind: vif, name: pool, ready, making, inUse = 0, active } of vifs()?.stats() ?? []) {
          const counts = { ready, making, inUse, ...(active === undefined ? {} : { active }) };
          for (const [state, count] of Object.entries(counts)) to.set({ vif, pool, state }, count);
        }
      },
    );
    gauge('kuryr_ports_in_use', 'Ports that pods have', ['vif'], (to) => {
      for (const [vif, count] of vifs()?.inUse() ?? []) to.set({ vif }, count);
    });
    gauge(
      'kuryr_pool_asked_total',
      'Ports asked for, by whether one lay ready; of these, late are those that carried no traffic yet',
      ['vif', 'pool', 'outcome'],
      (to) => {
        for (const { kind: vif, name: pool, hits, misses, late } of vifs()?.stats() ?? []) {
          const counts = { hits, misses, ...(late === undefined ? {} : { late }) };
          for (const [outcome, count] of Object.entries(counts)) to.set({ vif, pool, outcome }, count);
        }
      },
    );
  }

  handled(handler: string, seconds: number): void {
    this.#handleSeconds.observe({ handler }, seconds);
  }

  portReady(seconds: number): void {
    this.#portSeconds.observe(seconds);
  }

  failed(handler: string, code: string): void {
    this.#failures.inc({ handler, code });
  }

  asked(service: string, method: string, status: number | undefined, seconds: number): void {
    this.#cloudSeconds.observe({ service, method, status: status === undefined ? 'none' : String(status) }, seconds);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
