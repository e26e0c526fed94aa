import type { Cell } from './instance.ts';

export interface Reach {
  readonly node: number;
  readonly type: number;
  readonly rateMbps: number;
}

/**
 * A user with less than 10 kb/s has no rate. Besides, factors that are as small as the tolerances of a solver make it cut off
 * the optimum: HiGHS 1.15 then calls optimal what is some per cent below.
 */
const NO_RATE_MBPS = 0.01;

/** Cells from what reaches each user, ordered by node and type. */
export function cellsOf(reachOf: readonly (readonly Reach[])[]): readonly Cell[] {
  const cells = new Map<string, { node: number; type: number; covers: number[]; rates: number[] }>();
  reachOf.forEach((reaches, user) => {
    for (const { node, type, rateMbps } of reaches) {
      const key = `${node}/${type}`;
      const cell = cells.get(key) ?? { node, type, covers: [], rates: [] };
      cells.set(key, cell);
      cell.covers.push(user);
      cell.rates.push(rateMbps <= NO_RATE_MBPS ? 0 : rateMbps);
    }
  });
  return [...cells.values()]
    .toSorted((a, b) => a.node - b.node || a.type - b.type)
    .map(({ covers, rates, ...cell }) => ({
      ...cell,
      covers: Int32Array.from(covers),
      rates: Float64Array.from(rates),
    }));
}
