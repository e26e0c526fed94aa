import type { UnitMetrics } from '@superfluidity/api';

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
  readonly last: UnitMetrics | undefined;
}

/** Five minutes at two seconds. */
export const USAGE_POINTS_MAX = 150;

export const noUsage: Usage = { at: [], cores: [], memoryMiB: [], inKbps: [], outKbps: [], last: undefined };

const MIB = 1 << 20;

/** One reading more. What began anew, or was not read before, has no rate yet. */
export function withReading(usage: Usage, now: UnitMetrics): Usage {
  const { last } = usage;
  if (last !== undefined && now.atMs <= last.atMs) return usage;
  const seconds = last === undefined ? 0 : (now.atMs - last.atMs) / 1_000;
  const rate = (before: number | undefined, after: number | undefined): number | null =>
    before === undefined || after === undefined || after < before || seconds === 0 ? null : (after - before) / seconds;
  const bytes = (of: UnitMetrics | undefined, which: 'rxBytes' | 'txBytes') =>
    of === undefined || of.ports.length === 0 ? undefined : of.ports.reduce((sum, port) => sum + port[which], 0);
  const kbps = (which: 'rxBytes' | 'txBytes') => scaled(rate(bytes(last, which), bytes(now, which)), 8 / 1_000);
  const kept = <T>(all: readonly T[], one: T): readonly T[] => [...all.slice(1 - USAGE_POINTS_MAX), one];
  return {
    at: kept(usage.at, now.atMs / 1_000),
    cores: kept(usage.cores, scaled(rate(last?.cpuMs, now.cpuMs), 1 / 1_000)),
    memoryMiB: kept(usage.memoryMiB, now.memoryBytes === undefined ? null : now.memoryBytes / MIB),
    inKbps: kept(usage.inKbps, kbps('rxBytes')),
    outKbps: kept(usage.outKbps, kbps('txBytes')),
    last: now,
  };
}

const scaled = (value: number | null, by: number): number | null => (value === null ? null : value * by);
