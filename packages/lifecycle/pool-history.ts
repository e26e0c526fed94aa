import type { PoolStatus } from '@superfluidity/site';

/** How often a pool had one ready when it was asked, look by look. */
export interface PoolLook {
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
}

/** By site and name of the pool. */
export type PoolHistory = ReadonlyMap<string, readonly PoolLook[]>;

export const poolKey = (site: string, pool: string): string => `${site} ${pool}`;

/** Adds a look at all pools; of pools that are gone nothing is kept. */
export function looked(
  history: PoolHistory,
  sites: readonly { readonly name: string; readonly pools: readonly Pick<PoolStatus, 'name' | 'hits' | 'misses'>[] }[],
  at: number,
  kept: number,
): PoolHistory {
  return new Map(
    sites.flatMap(({ name, pools }) =>
      pools.map(({ name: pool, hits, misses }) => {
        const key = poolKey(name, pool);
        const before = history.get(key) ?? [];
        const last = before.at(-1);
        // Counters that go back are those of another driver, or of a pool that was made anew.
        const same = last !== undefined && (last.hits > hits || last.misses > misses) ? [] : before;
        return [key, [...same, { at, hits, misses }].slice(-kept)] as const;
      }),
    ),
  );
}

/** So many looks at most, of the whole time: counters tell what was between two of them. */
export function thinned<T>(looks: readonly T[], most: number): readonly T[] {
  if (looks.length <= most) return looks;
  return Array.from({ length: most }, (_, i) => looks[Math.round((i * (looks.length - 1)) / (most - 1))]!);
}
