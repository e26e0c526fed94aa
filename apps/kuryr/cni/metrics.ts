import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { TableKind } from '../node/index.ts';

/** From a tenth of a millisecond, which refusals take, to what ADD waits at most. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface MetricsSources {
  readonly attachments: () => number;
  readonly ports: () => number;
  readonly isKnown: () => boolean;
  readonly spares: () => number;
  /** What the node carries out. */
  readonly counts: () => Readonly<{ services: number; endpoints: number; policies: number }>;
}

/** For Prometheus, text format 0.0.4. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'command' | 'code'>;
  readonly #open: Gauge;
  readonly #prepared: Counter<'used'>;
  readonly #syncs: Counter<'table' | 'done'>;
  readonly #syncSeconds: Gauge<'table'>;

  constructor({ attachments, ports, isKnown, spares, counts }: MetricsSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'superfluidity_kuryr_cni_request_seconds',
      help: 'Requests of the container runtime, by command and code of the error (0: none)',
      labelNames: ['command', 'code'],
      buckets: SECONDS,
      registers,
    });
    this.#open = new Gauge({
      name: 'superfluidity_kuryr_cni_requests',
      help: 'Requests that are not answered yet',
      registers,
    });
    this.#prepared = new Counter({
      name: 'superfluidity_kuryr_cni_prepared_total',
      help: 'Interfaces that were plugged before the runtime asked for them, by whether it did',
      labelNames: ['used'],
      registers,
    });
    this.#syncs = new Counter({
      name: 'superfluidity_kuryr_node_syncs_total',
      help: 'Transactions by which the kernel was told of Services and policies, by whether it took them',
      labelNames: ['table', 'done'],
      registers,
    });
    this.#syncSeconds = new Gauge({
      name: 'superfluidity_kuryr_node_sync_seconds',
      help: 'How long the last one took',
      labelNames: ['table'],
      registers,
    });
    for (const [name, help] of [
      ['services', 'Services that this node balances'],
      ['endpoints', 'Members of all their ports'],
      ['policies', 'Policies about pods of this node'],
    ] as const)
      new Gauge({
        name: `superfluidity_kuryr_node_${name}`,
        help,
        registers,
        collect() {
          this.set(counts()[name]);
        },
      });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `superfluidity_kuryr_cni_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('attachments', 'Interfaces of pods that are plugged', attachments);
    gauge('ports', 'Pods of this node of which the controller told', ports);
    gauge('spares', 'Ports that are plugged ahead, those among them that pods have by now', spares);
    gauge('ports_known', '1 when the API server told all that there is', () => Number(isKnown()));
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  asked(): void {
    this.#open.inc();
  }

  answered(command: string, code: number, seconds: number): void {
    this.#open.dec();
    this.#requests.observe({ command, code: String(code) }, seconds);
  }

  synced(table: TableKind, seconds: number, isDone: boolean): void {
    this.#syncs.inc({ table, done: String(isDone) });
    this.#syncSeconds.set({ table }, seconds);
  }

  prepared(isUsed: boolean): void {
    this.#prepared.inc({ used: String(isUsed) });
  }
}
