/** One line of a result: how long something takes, in milliseconds. */
export interface Timing {
  readonly what: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

/** The smallest of the values that at least this part of them does not exceed (nearest rank). */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function timing(what: string, times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const [p50, p99, max] = [0.5, 0.99, 1].map((part) => round(quantile(sorted, part))) as [number, number, number];
  return { what, count: times.length, p50, p99, max };
}

/** Milliseconds of processor time of this thread: what neighbours on the machine take is not in it. */
export function processorMs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
