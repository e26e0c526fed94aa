import type { Operation, Sample } from '@superfluidity/api';
import { isOver } from './permitted.ts';

/** What the users of a service got, second by second or in longer slices. */
export interface Traffic {
  /** Beginning of each slice, in seconds since the epoch. */
  readonly times: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  /** Requests a second, and those of them that failed. */
  readonly rate: readonly number[];
  readonly failedRate: readonly number[];
}

const SLICES_MAX = 240;
const WIDTHS_S = [1, 2, 5, 10, 30, 60, 300, 900, 3_600];

/** In slices of a width that people read easily; a slice without a request is there, and empty. */
export function trafficOf(samples: readonly Sample[]): Traffic {
  const first = samples[0]?.t ?? 0;
  const spanS = ((samples.at(-1)?.t ?? 0) - first) / 1_000;
  const widthS = WIDTHS_S.find((width) => spanS / width <= SLICES_MAX) ?? Math.ceil(spanS / SLICES_MAX);
  const slices = Map.groupBy(samples, ({ t }) => Math.floor(t / 1_000 / widthS));
  const [from, to] = [Math.floor(first / 1_000 / widthS), Math.floor((first / 1_000 + spanS) / widthS)];
  const numbers = samples.length === 0 ? [] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const of = numbers.map((number) => slices.get(number) ?? []);
  const sorted = of.map((slice) => latenciesOf(slice));
  const at = (q: number) => sorted.map((latencies) => quantileOf(latencies, q) ?? null);
  return {
    times: numbers.map((number) => number * widthS),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    rate: of.map((slice) => slice.length / widthS),
    failedRate: of.map((slice) => slice.filter(({ ok }) => !ok).length / widthS),
  };
}

export interface TrafficSummary {
  readonly requests: number;
  /** From 0 to 1: of all requests. */
  readonly answered: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export function summariseTraffic(samples: readonly Sample[]): TrafficSummary {
  const latencies = latenciesOf(samples);
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((q) => quantileOf(latencies, q));
  const requests = samples.length;
  return { requests, answered: requests === 0 ? 0 : latencies.length / requests, p50Ms, p95Ms, p99Ms };
}

const latenciesOf = (samples: readonly Sample[]): readonly number[] =>
  samples
    .filter(({ ok }) => ok)
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);

/** The nearest rank: a value that was measured. */
export function quantileOf(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

export interface OperationKpi {
  readonly kind: Operation['kind'];
  readonly over: number;
  /** From 0 to 1: of those that are over. */
  readonly completed: number;
  readonly medianMs: number | undefined;
  readonly p95Ms: number | undefined;
}

/** Of the operations that are over; how long those took that came to their end. */
export function operationKpis(operations: readonly Operation[]): readonly OperationKpi[] {
  const kinds = Map.groupBy(
    operations.filter(({ state }) => isOver(state)),
    ({ kind }) => kind,
  );
  return [...kinds]
    .map(([kind, all]): OperationKpi => {
      const done = all.filter(({ state }) => state === 'COMPLETED');
      const took = done.map(({ startedAt, stateEnteredAt }) => stateEnteredAt - startedAt).sort((a, b) => a - b);
      const completed = done.length / all.length;
      return { kind, over: all.length, completed, medianMs: quantileOf(took, 0.5), p95Ms: quantileOf(took, 0.95) };
    })
    .toSorted((a, b) => b.over - a.over || a.kind.localeCompare(b.kind));
}
