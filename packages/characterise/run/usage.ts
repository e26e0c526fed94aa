import { append, type Clock } from '@superfluidity/core';
import type { Sample } from '../analysis/results.ts';
import { characteriseLimits as limits } from '../errors.ts';

/** What one unit has used so far; counters only grow. What is absent was not measured. */
export interface UsageReading {
  readonly id: string;
  readonly path: string;
  readonly atMs: number;
  readonly cpuMs?: number | undefined;
  readonly throttledMs?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly ports: readonly {
    readonly rxBytes: number;
    readonly rxPackets: number;
    readonly txBytes: number;
    readonly txPackets: number;
  }[];
}

/** How often it is read. */
const PERIOD_MS = 500;

export interface Recording {
  /** Reads a last time, and resolves with everything. */
  stop(): Promise<readonly UsageReading[]>;
}

/** Reads what units use until it is stopped. That a reading fails is not that of the experiment: it has a gap there. */
export function recordUsage(read: () => Promise<readonly UsageReading[]>, clock: Clock): Recording {
  const over = new AbortController();
  let stopped: Promise<readonly UsageReading[]> | undefined;
  const readings: UsageReading[] = [];
  const once = async () => {
    if (readings.length < limits.usageReadings) append(readings, await read().catch(() => []));
  };
  const reading = (async () => {
    while (!over.signal.aborted) {
      await once();
      await clock.sleep(PERIOD_MS, over.signal).catch(() => {});
    }
  })();
  return {
    stop() {
      stopped ??= (async () => {
        over.abort();
        await reading;
        await once();
        return readings;
      })();
      return stopped;
    },
  };
}

/** `video/video` is `video`; a slash is none of the letters that names of metrics have. */
function nameOf(path: string): string {
  const [first, ...rest] = path.split('/');
  return rest.length === 1 && rest[0] === first ? first! : path.replaceAll('/', '.');
}

/** Of the counter, how much it grew in a second; memory as it was. Units of the figures that they become. */
const counters = {
  cpu: { of: (one: UsageReading) => one.cpuMs, scale: 1 / 1_000 },
  throttled: { of: (one: UsageReading) => one.throttledMs, scale: 1 / 1_000 },
  rx_mbps: { of: (one: UsageReading) => total(one, 'rxBytes'), scale: 8 / 1e6 },
  tx_mbps: { of: (one: UsageReading) => total(one, 'txBytes'), scale: 8 / 1e6 },
  rx_pps: { of: (one: UsageReading) => total(one, 'rxPackets'), scale: 1 },
  tx_pps: { of: (one: UsageReading) => total(one, 'txPackets'), scale: 1 },
} as const;
const MIB = 2 ** 20;

/** How names of metrics of the infrastructure begin: `cpu.video` in cores, `memory.video` in MiB. */
export const usageKinds: readonly string[] = [...Object.keys(counters), 'memory'];
export const isUsageMetric = (name: string) => usageKinds.some((kind) => name.startsWith(`${kind}.`));

function total(one: UsageReading, what: keyof UsageReading['ports'][number]): number | undefined {
  return one.ports.length === 0 ? undefined : one.ports.reduce((sum, port) => sum + port[what], 0);
}

/**
 * Samples with what the units used in their periods beside what was measured from outside: instances of a unit together.
 * Counters are read at other times than samples end, so they are interpolated. What was not read in time is left out.
 */
export function withUsage(
  samples: readonly Sample[],
  beganMs: number,
  readings: readonly UsageReading[],
): readonly Sample[] {
  const byPath = Map.groupBy(readings, ({ path }) => path);
  const units = [...byPath].slice(0, limits.usageUnits).map(([path, all]) => ({
    name: nameOf(path),
    instances: [...Map.groupBy(all, ({ id }) => id).values()],
  }));
  if (units.length === 0) return samples;
  return samples.map(({ atMs, metrics }, i) => {
    const [from, until] = [beganMs + (samples[i - 1]?.atMs ?? 0), beganMs + atMs];
    const more: Record<string, number> = {};
    for (const { name, instances } of units) {
      for (const [kind, { of, scale }] of Object.entries(counters)) {
        const rates = instances.map((one) => growth(one, of, from, until)).filter((rate) => rate !== undefined);
        if (rates.length > 0) more[`${kind}.${name}`] = rates.reduce((a, b) => a + b, 0) * scale;
      }
      const memory = instances.map((one) => at(one, (each) => each.memoryBytes, until)).filter((m) => m !== undefined);
      if (memory.length > 0) more[`memory.${name}`] = memory.reduce((a, b) => a + b, 0) / MIB;
    }
    return { atMs, metrics: { ...more, ...metrics } };
  });
}

type Of = (one: UsageReading) => number | undefined;

/** By how much the counter grew in a second. */
function growth(all: readonly UsageReading[], of: Of, from: number, until: number): number | undefined {
  const [first, last] = [all[0]!.atMs, all.at(-1)!.atMs];
  // What was read overlaps with the period by half at least: else it says nothing of it.
  const [begin, end] = [Math.max(from, first), Math.min(until, last)];
  if (!(until > from) || end - begin < (until - from) / 2) return undefined;
  const [before, after] = [at(all, of, begin), at(all, of, end)];
  if (before === undefined || after === undefined) return undefined;
  return Math.max(0, after - before) / ((end - begin) / 1_000);
}

/** Between two readings, as if it had grown evenly; before the first and after the last one, as those were. */
function at(all: readonly UsageReading[], of: Of, ms: number): number | undefined {
  let [low, high] = [0, all.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (all[middle]!.atMs <= ms) low = middle;
    else high = middle;
  }
  const [a, b] = [all[low]!, all[high]!];
  const [x, y] = [of(a), of(b)];
  if (x === undefined || y === undefined || b.atMs <= a.atMs) return x ?? y;
  const share = Math.min(1, Math.max(0, (ms - a.atMs) / (b.atMs - a.atMs)));
  return x + (y - x) * share;
}
