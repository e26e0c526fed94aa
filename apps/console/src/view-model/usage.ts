import type { UnitMetrics, UnitUsage } from '@superfluidity/api';

type Reading = UnitUsage['readings'][number];

/** What a unit used at one moment after another, from counters that only grow. */
export interface Usage {
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  /** Processors that were busy. */
  readonly cores: readonly (number | null)[];
  readonly memoryMiB: readonly (number | null)[];
  /** Of all ports together. */
  readonly inKbps: readonly (number | null)[];
  readonly outKbps: readonly (number | null)[];
  /** The last counters, from which the next rates come. */
  readonly before: Reading | undefined;
  readonly last: UnitMetrics | undefined;
}

/** Half an hour as the server keeps it, and five minutes at two seconds. */
export const USAGE_POINTS_MAX = 330;

export const noUsage: Usage = {
  at: [],
  cores: [],
  memoryMiB: [],
  inKbps: [],
  outKbps: [],
  before: undefined,
  last: undefined,
};

const MIB = 1 << 20;

/** What the server has seen before anybody looked. */
export const usageOfPast = (readings: readonly Reading[]): Usage => readings.reduce(withCounters, noUsage);

/** One reading more. */
export function withReading(usage: Usage, now: UnitMetrics): Usage {
  const { atMs, cpuMs, memoryBytes, ports } = now;
  const bytes = (which: 'rxBytes' | 'txBytes') => ports.reduce((sum, port) => sum + port[which], 0);
  const next = withCounters(usage, {
    atMs,
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(ports.length === 0 ? {} : { rxBytes: bytes('rxBytes'), txBytes: bytes('txBytes') }),
  });
  return next === usage ? usage : { ...next, last: now };
}

/** What began anew, or was not read before, has no rate yet. */
function withCounters(usage: Usage, now: Reading): Usage {
  const { before } = usage;
  if (before !== undefined && now.atMs <= before.atMs) return usage;
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
  const rate = (which: 'cpuMs' | 'rxBytes' | 'txBytes', by: number): number | null => {
    const [was, is] = [before?.[which], now[which]];
    return was === undefined || is === undefined || is < was || seconds === 0 ? null : ((is - was) / seconds) * by;
  };
  const kept = <T>(all: readonly T[], one: T): readonly T[] => [...all.slice(1 - USAGE_POINTS_MAX), one];
  return {
    ...usage,
    at: kept(usage.at, now.atMs / 1_000),
    cores: kept(usage.cores, rate('cpuMs', 1 / 1_000)),
    memoryMiB: kept(usage.memoryMiB, now.memoryBytes === undefined ? null : now.memoryBytes / MIB),
    inKbps: kept(usage.inKbps, rate('rxBytes', 8 / 1_000)),
    outKbps: kept(usage.outKbps, rate('txBytes', 8 / 1_000)),
    before: now,
  };
}
