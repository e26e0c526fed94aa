import { designLimits } from '../errors.ts';
import type { RfbInstance } from './instance.ts';
import { linksByUser } from './links.ts';

export interface PriceBound {
  /** No solution has more traffic. */
  readonly trafficMbps: number;
  /** What a place at each cell costs: with these alone the bound can be worked out again by `boundOf`. */
  readonly prices: Float64Array;
}

/**
 * Bound of the traffic by Lagrangian relaxation of the number of users of each radio head (20): with a price for each place
 * each user takes the cell with the most left, and what the places of the radio heads bring is added. Any prices bound; these
 * are found by subgradient steps. O(steps * links).
 */
export function priceBound(instance: RfbInstance, nodesMax = Number.POSITIVE_INFINITY): PriceBound {
  const { cells, rrhTypes } = instance;
  const links = linksByUser(instance);
  const prices = new Float64Array(cells.length);
  let best: PriceBound = { trafficMbps: Number.POSITIVE_INFINITY, prices };
  let step = links.rates.reduce((most, rate) => Math.max(most, rate), 0) / 4;
  for (let round = 0; round < designLimits.priceSteps; round += 1) {
    const { trafficMbps, taken } = relaxed(instance, links, prices, nodesMax);
    if (trafficMbps < best.trafficMbps) best = { trafficMbps, prices: prices.slice() };
    for (let c = 0; c < cells.length; c += 1) {
      const places = Math.floor(rrhTypes[cells[c]!.type]!.users);
      prices[c] = Math.max(0, prices[c]! + (step * (taken[c]! - places)) / Math.max(1, places));
    }
    step *= 0.98;
  }
  return best;
}

/** The bound that prices give. */
export const boundOf = (instance: RfbInstance, prices: Float64Array, nodesMax = Number.POSITIVE_INFINITY): number =>
  relaxed(instance, linksByUser(instance), prices, nodesMax).trafficMbps;

function relaxed(
  { cells, rrhTypes, nodes, users }: RfbInstance,
  { start, cellOf, rates }: ReturnType<typeof linksByUser>,
  prices: Float64Array,
  nodesMax: number,
): { readonly trafficMbps: number; readonly taken: Int32Array } {
  const taken = new Int32Array(cells.length);
  let sum = 0;
  for (let user = 0; user < users; user += 1) {
    let most = Number.NEGATIVE_INFINITY;
    let choice = -1;
    for (let link = start[user]!; link < start[user + 1]!; link += 1) {
      const left = rates[link]! - prices[cellOf[link]!]!;
      if (left > most) [most, choice] = [left, cellOf[link]!];
    }
    if (choice < 0) continue;
    sum += most;
    taken[choice]! += 1;
  }
  // Of the cells of a node one can have a radio head, and of all nodes so many as there are radio heads.
  const worth = new Float64Array(nodes.length);
  cells.forEach(({ node, type }, c) => {
    worth[node] = Math.max(worth[node]!, prices[c]! * Math.floor(rrhTypes[type]!.users));
  });
  const heads = Math.min(
    nodesMax,
    rrhTypes.reduce((total, { most }) => total + most, 0),
  );
  const places = worth.toSorted().reverse().slice(0, heads);
  return { trafficMbps: places.reduce((total, each) => total + each, sum), taken };
}
