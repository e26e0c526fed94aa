import type { describeMachine } from '../machine.ts';
import type { Timing } from '../statistics.ts';

/** Of one process. */
export interface Measured extends Timing {
  /** With code that was never run before. */
  readonly firstMs?: number;
  /** Of what is counted. */
  readonly paths: number;
  readonly counted?: string;
  /** The most that the process had in memory: Node itself, the data, and the work. */
  readonly peakMiB?: number;
  /** Before the work. */
  readonly dataMiB?: number;
}

export interface Outcome extends Measured {
  readonly goalMs?: number;
  readonly published?: string;
}

/** The same question in one thread and in two; medians of runs that take turns. */
export interface ThreadGain {
  readonly what: string;
  readonly starts: number;
  readonly oneMs: number;
  readonly twoMs: number;
  /** Above 1, two are faster. */
  readonly ratio: number;
}

export interface Report {
  readonly date: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly outcomes: readonly Outcome[];
  readonly threads?: readonly ThreadGain[];
}

export function reportLines({ outcomes, threads }: Report): readonly string[] {
  return [
    ...outcomes.map(line),
    ...(threads ?? []).map(
      ({ what, starts, oneMs, twoMs, ratio }) =>
        `${what}, ${starts} starts: one thread ${oneMs.toFixed(0)} ms, two ${twoMs.toFixed(0)} ms: ${ratio.toFixed(2)} times as fast`,
    ),
  ];
}

function line({ what, p50, max, firstMs, paths, counted, peakMiB, goalMs, published }: Outcome): string {
  const columns = [
    what.padEnd(50),
    `${p50.toFixed(0).padStart(6)} ms`,
    `max ${max.toFixed(0).padStart(6)}`,
    `first ${(firstMs ?? Number.NaN).toFixed(0).padStart(6)}`,
    `${String(peakMiB ?? '?').padStart(5)} MiB`,
    `${paths} ${counted ?? ''}`,
    ...(goalMs === undefined ? [] : [`${p50 <= goalMs ? 'met' : 'NOT MET'}: at most ${goalMs} ms`]),
    ...(published === undefined ? [] : [`(published: ${published})`]),
  ];
  return columns.join('  ');
}
