import type { Duration, ListedPool, Unit, UnitMetrics, UnitUsage } from '@superfluidity/api';
import type { World } from './world.ts';

/** Before this moment nothing was used. */
const SINCE_MS = Date.now() - 60_000;

/** What a unit uses, each at a constant rate of its own: counters only grow. */
export function usageOf({ id, path, index, site, host, ports }: Unit, atMs: number): UnitMetrics {
  const share = 0.2 + ([...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) / 997) * 0.7;
  const elapsedMs = atMs - SINCE_MS;
  const packets = Math.round(elapsedMs * share * 4);
  return {
    id,
    path,
    index,
    site,
    host,
    atMs,
    cpuMs: elapsedMs * share * 0.5,
    throttledMs: share > 0.8 ? elapsedMs * 0.02 : 0,
    memoryBytes: Math.round(share * 256 * 2 ** 20),
    processes: 3,
    cpu: 0.5,
    memoryMiB: 256,
    ports: ports.map((port) => ({
      id: `${id}/${port.name}`,
      name: port.name,
      rxBytes: packets * 120,
      rxPackets: packets,
      txBytes: packets * 1_200,
      txPackets: packets,
      dropped: 0,
    })),
  };
}

export const LOOK_MS = 10_000;
const LOOKS = 6;

/** Since the mock was started, as the control plane would have seen it. */
export function pastUsageOf(unit: Unit, now: number): UnitUsage['readings'] {
  return looks(now).map((at) => {
    const { cpuMs = 0, memoryBytes = 0, ports } = usageOf(unit, at);
    const sum = (which: 'rxBytes' | 'txBytes') => ports.reduce((all, port) => all + port[which], 0);
    return { atMs: at, cpuMs, memoryBytes, rxBytes: sum('rxBytes'), txBytes: sum('txBytes') };
  });
}

/** What was asked of a pool came bit by bit. */
export function pastOf({ hits, misses }: Pick<ListedPool, 'hits' | 'misses'>, now: number): ListedPool['past'] {
  const at = looks(now);
  const part = (all: number, i: number) => Math.round((all * (i + 1)) / at.length);
  return { at, hits: at.map((_, i) => part(hits, i)), misses: at.map((_, i) => part(misses, i)) };
}

const looks = (now: number) => Array.from({ length: LOOKS }, (_, i) => now - (LOOKS - 1 - i) * LOOK_MS);

/** How long the steps of all operations took. */
export function durationsOf(world: World): readonly Duration[] {
  const ended = [...world.operations.values()]
    .flatMap(({ steps }) => steps)
    .flatMap(({ verb, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined ? [] : [{ verb, ms: endedAt - startedAt }],
    );
  return [...Map.groupBy(ended, ({ verb }) => verb)].map(([name, steps]): Duration => {
    const took = steps.map(({ ms }) => ms).sort((a, b) => a - b);
    const meanMs = took.reduce((sum, ms) => sum + ms, 0) / took.length;
    return { of: 'step', name, count: took.length, meanMs, p95Ms: took[Math.ceil(0.95 * took.length) - 1]! };
  });
}
