import type { SiteDetail } from '@superfluidity/api';

/** How often a pool had one ready when it was asked, look by look. The control plane counts; what was when, is noted here. */
export interface PoolLook {
  readonly at: number;
  readonly ready: number;
  readonly hits: number;
  readonly misses: number;
}

export type PoolHistory = ReadonlyMap<string, readonly PoolLook[]>;

/** An hour, at one look in ten seconds. */
export const LOOKS_KEPT = 360;
export const LOOK_EVERY_MS = 10_000;

export const poolKey = (site: string, pool: string): string => `${site} ${pool}`;

/** Adds a look at all pools; one that is no later than the last is left out. Pools that are gone are forgotten. */
export function looked(
  history: PoolHistory,
  sites: readonly Pick<SiteDetail, 'name' | 'pools'>[],
  at: number,
): PoolHistory {
  return new Map(
    sites.flatMap(({ name, pools }) =>
      pools.map(({ name: pool, ready, hits, misses }) => {
        const key = poolKey(name, pool);
        const before = history.get(key) ?? [];
        const last = before.at(-1);
        if (last !== undefined && last.at >= at) return [key, before] as const;
        // Counters that go back are those of another server, or of a pool that was made anew.
        const kept = last !== undefined && (last.hits > hits || last.misses > misses) ? [] : before;
        return [key, [...kept, { at, ready, hits, misses }].slice(-LOOKS_KEPT)] as const;
      }),
    ),
  );
}

export interface RatePoint {
  /** From 0, the first look, to 1, the last. */
  readonly x: number;
  /** Share of hits between this look and the one before; undefined: nobody has asked. */
  readonly rate: number | undefined;
}

export function ratesOf(looks: readonly PoolLook[]): readonly RatePoint[] {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return [];
  return looks.slice(1).map((look, i) => {
    const before = looks[i]!;
    const [hits, misses] = [look.hits - before.hits, look.misses - before.misses];
    const rate = hits + misses === 0 ? undefined : hits / (hits + misses);
    return { x: (look.at - first.at) / (last.at - first.at), rate };
  });
}

/** As SVG, `width` wide and `height` high; where nobody has asked, the line has a gap. */
export function pathOfRates(points: readonly RatePoint[], width: number, height: number): string {
  let pen = false;
  return points
    .flatMap(({ x, rate }) => {
      if (rate === undefined) {
        pen = false;
        return [];
      }
      const to = `${(x * width).toFixed(1)} ${((1 - rate) * height).toFixed(1)}`;
      // A point alone is seen as a short line.
      const drawn = pen ? `L${to}` : `M${to}h.1`;
      pen = true;
      return [drawn];
    })
    .join('');
}
