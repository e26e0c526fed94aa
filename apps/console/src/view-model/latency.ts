import { append } from '@superfluidity/core';
import type { Operation, Sample, Unit } from '@superfluidity/api';

/** The samples of one service, in order of time, bounded. A batch may overlap what is there already. */
export class SampleBuffer {
  readonly #max: number;
  #samples: Sample[] = [];
  #keys = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  add(batch: readonly Sample[]): boolean {
    const fresh = batch.filter((sample) => {
      const key = keyOf(sample);
      if (this.#keys.has(key)) return false;
      this.#keys.add(key);
      return true;
    });
    if (fresh.length === 0) return false;
    const inOrder = fresh.every((sample, i) => sample.t >= (fresh[i - 1] ?? this.#samples.at(-1) ?? sample).t);
    append(this.#samples, fresh);
    if (!inOrder) this.#samples.sort((a, b) => a.t - b.t);
    if (this.#samples.length > this.#max) {
      for (const sample of this.#samples.slice(0, -this.#max)) this.#keys.delete(keyOf(sample));
      this.#samples = this.#samples.slice(-this.#max);
    }
    return true;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }
}

const keyOf = (sample: Sample): string => `${sample.unit}|${sample.t}`;

/** `from` names a site, or an instance of the service: shown is the site. */
export function answererOf(units: readonly Unit[], sites: readonly string[]): (sample: Sample) => string {
  const siteOf = new Map<string, string>(sites.map((site) => [site, site]));
  for (const unit of units) {
    siteOf.set(unit.id, unit.site);
    siteOf.set(`${unit.path}#${unit.index}@${unit.site}`, unit.site);
  }
  return ({ from }) => {
    if (from === undefined) return UNKNOWN_ANSWERER;
    const known = siteOf.get(from);
    if (known !== undefined) return known;
    const prefix = sites.find((site) => from.startsWith(`${site}/`) || from.endsWith(`@${site}`));
    return prefix ?? from;
  };
}

export const UNKNOWN_ANSWERER = 'unnamed site';

export interface LatencySeries {
  /** Seconds since the epoch, strictly what the plot's x axis takes. */
  readonly times: readonly number[];
  readonly answered: readonly { readonly by: string; readonly latencies: readonly (number | null)[] }[];
  /** Latency at which a failed request gave up, where one failed. */
  readonly failed: readonly (number | null)[];
}

/**
 * The samples from `sinceMs` on, one column per site that answered. Where there are more than `pointsMax`, each of as
 * many equal slices of time keeps its slowest answer of each site, and every failure: peaks are what people look for.
 */
export function latencySeries(
  samples: readonly Sample[],
  answerer: (sample: Sample) => string,
  { sinceMs, pointsMax }: { readonly sinceMs: number; readonly pointsMax: number },
): LatencySeries {
  const shown = thin(samples.slice(firstAtOrAfter(samples, sinceMs)), answerer, pointsMax);
  const names = [...new Set(shown.filter((sample) => sample.ok).map(answerer))].sort();
  return {
    times: shown.map((sample) => sample.t / 1000),
    answered: names.map((by) => ({
      by,
      latencies: shown.map((sample) => (sample.ok && answerer(sample) === by ? sample.latencyMs : null)),
    })),
    failed: shown.map((sample) => (sample.ok ? null : sample.latencyMs)),
  };
}

/** Of a hundred answers the slowest two may leave the scale: one slow start must not flatten all that follows. */
const WITHIN_SCALE = 0.98;

/** The upper end of the scale. What lies above is drawn on the edge. */
export function ceilingMs(series: LatencySeries): number {
  const sorted = series.answered
    .flatMap((column) => column.latencies)
    .filter((latency) => latency !== null)
    .sort((a, b) => a - b);
  const usual = sorted[Math.ceil(sorted.length * WITHIN_SCALE) - 1] ?? 1;
  return Math.max(1, Math.min(usual * 1.6, (sorted.at(-1) ?? 1) * 1.2));
}

function thin(samples: readonly Sample[], answerer: (sample: Sample) => string, max: number): readonly Sample[] {
  if (samples.length <= max) return samples;
  const [start, end] = [samples[0]!.t, samples.at(-1)!.t];
  const slice = (end - start) / max || 1;
  const slowest = new Map<string, Sample>();
  const kept: Sample[] = [];
  for (const sample of samples) {
    if (!sample.ok) kept.push(sample);
    else {
      const key = `${Math.floor((sample.t - start) / slice)}|${answerer(sample)}`;
      const other = slowest.get(key);
      if (other === undefined || sample.latencyMs > other.latencyMs) slowest.set(key, sample);
    }
  }
  return [...kept, ...slowest.values()].sort((a, b) => a.t - b.t);
}

function firstAtOrAfter(samples: readonly Sample[], t: number): number {
  let [low, high] = [0, samples.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (samples[middle]!.t < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Mark {
  readonly at: number;
  readonly label: string;
  readonly kind: 'begin' | 'end';
}

/** When the moves began and when they were over. */
export function moveMarks(operations: readonly Operation[]): readonly Mark[] {
  return operations
    .filter((operation) => operation.kind === 'MOVE')
    .flatMap((operation): Mark[] => {
      const { what, to } = operation.params;
      const begin: Mark = { at: operation.startedAt, label: `move ${String(what)} → ${String(to)}`, kind: 'begin' };
      return operation.state === 'COMPLETED'
        ? [begin, { at: operation.stateEnteredAt, label: 'moved', kind: 'end' }]
        : [begin];
    });
}

export interface LatencySummary {
  readonly requests: number;
  readonly failed: number;
  /** Median of the last ten seconds that have answers. */
  readonly nowMs: number | undefined;
  /** Medians before and after the latest move. */
  readonly move: { readonly beforeMs: number; readonly afterMs: number } | undefined;
}

const RECENT_MS = 10_000;
const BEFORE_MS = 30_000;

export function summariseLatency(samples: readonly Sample[], marks: readonly Mark[]): LatencySummary {
  const end = marks.filter((mark) => mark.kind === 'end').at(-1);
  const begin = end && marks.filter((mark) => mark.kind === 'begin' && mark.at <= end.at).at(-1);
  const between = (from: number, to: number) =>
    median(samples.filter((s) => s.ok && s.t >= from && s.t < to).map((s) => s.latencyMs));
  const before = begin && between(begin.at - BEFORE_MS, begin.at);
  const after = end && between(end.at, Number.POSITIVE_INFINITY);
  const last = samples.at(-1)?.t ?? 0;
  return {
    requests: samples.length,
    failed: samples.filter((sample) => !sample.ok).length,
    nowMs: between(last - RECENT_MS, Number.POSITIVE_INFINITY),
    move: before === undefined || after === undefined ? undefined : { beforeMs: before, afterMs: after },
  };
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
