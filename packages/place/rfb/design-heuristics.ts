import { associate } from './associate.ts';
import { type Costs, headCost, siteCost } from './costs.ts';
import { type Design, type DesignRules, designOf, usersNeeded } from './dimension.ts';
import { hostBlocks } from './host.ts';
import type { Cell, RfbInstance } from './instance.ts';
import { type Links, linksByUser } from './links.ts';

/**
 * Two heuristics of the kind of which the published study names two (SFDA and 5G-PCDA; what they do inside is not public). Both
 * take networks with all hardware that may be bought, and buy what their solution needs.
 */

/**
 * From a network with as many radio heads as there may be, the radio head is dropped without which it costs least, as long as
 * enough users are served and it costs less. O(cells^2) associations.
 */
export function dropDearest(instance: RfbInstance, costs: Costs, rules: DesignRules): Design | undefined {
  const builder = new Builder(instance, costs, rules);
  let heads = withinLimits(
    instance,
    [...instance.cells.keys()].toSorted((a, b) => size(instance, b) - size(instance, a)),
  );
  let best = builder.build(heads);
  for (;;) {
    const fewer = heads.flatMap((out) => {
      const left = heads.filter((c) => c !== out);
      const design = builder.build(left);
      return design === undefined ? [] : [{ left, design }];
    });
    const [cheapest] = fewer.toSorted((a, b) => a.design.cost - b.design.cost);
    if (cheapest === undefined || (best !== undefined && cheapest.design.cost >= best.cost)) return best;
    [heads, best] = [cheapest.left, cheapest.design];
  }
}

/**
 * Cell by cell, the one with the least cost for each user whom it serves more is added until enough are served; each is taken by
 * itself, and what hardware is needed is seen at the end. O(cells^2 * users).
 */
export function cheapestFirst(instance: RfbInstance, costs: Costs, rules: DesignRules): Design | undefined {
  const { cells, rrhTypes, nodes } = instance;
  const builder = new Builder(instance, costs, rules);
  const served = new Set<number>();
  let heads: readonly number[] = [];
  for (;;) {
    const design = served.size >= usersNeeded(instance, rules) ? builder.build(heads) : undefined;
    if (design !== undefined) return design;
    const allowed = cells.keys().filter((c) => !heads.includes(c) && withinLimits(instance, [...heads, c]).includes(c));
    const offers = [...allowed].map((c) => {
      const { covers, rates, node, type } = cells[c]!;
      const own = [...covers.keys()].filter((i) => rates[i]! >= rules.leastRateMbps && !served.has(covers[i]!));
      const users = own.slice(0, Math.floor(rrhTypes[type]!.users)).map((i) => covers[i]!);
      const cost = siteCost(costs, nodes[node]!.name) + headCost(costs, rrhTypes[type]!.name);
      return { c, users, each: cost / Math.max(0.5, users.length) };
    });
    const [next] = offers.toSorted((a, b) => a.each - b.each);
    if (next === undefined) return undefined;
    heads = [...heads, next.c];
    for (const user of next.users) served.add(user);
  }
}

class Builder {
  readonly #instance: RfbInstance;
  readonly #costs: Costs;
  readonly #rules: DesignRules;
  /** Without what is slower than the least rate; users get that rate and no more: hardware is bought for it. */
  readonly #narrow: RfbInstance;
  readonly #links: Links;
  readonly #atLeast: Links;

  constructor(instance: RfbInstance, costs: Costs, rules: DesignRules) {
    [this.#instance, this.#costs, this.#rules] = [instance, costs, rules];
    this.#narrow = { ...instance, cells: instance.cells.map((cell) => fast(cell, rules.leastRateMbps)) };
    this.#links = linksByUser(this.#narrow);
    this.#atLeast = { ...this.#links, rates: this.#links.rates.map(() => rules.leastRateMbps) };
  }

  build(heads: readonly number[]): Design | undefined {
    const { cells, nodes, users } = this.#instance;
    const open = cells.map(() => false);
    for (const c of heads) open[c] = true;
    const association = associate(this.#narrow, this.#links, open, new Float64Array(cells.length));
    if (users - association.unserved < usersNeeded(this.#instance, this.#rules)) return undefined;
    const none = nodes.map(() => -1);
    const solution = hostBlocks(this.#narrow, this.#atLeast, association, heads, { bbu: none, mec: none });
    if (solution === undefined) return undefined;
    // Processors that are short would have made users slower than they must be.
    const slow = solution.servedAt.some((node, user) => node >= 0 && solution.rates[user]! < this.#rules.leastRateMbps);
    return slow ? undefined : designOf(this.#instance, this.#costs, this.#rules, solution);
  }
}

function fast(cell: Cell, leastRateMbps: number): Cell {
  const kept = [...cell.covers.keys()].filter((i) => cell.rates[i]! >= leastRateMbps);
  return {
    ...cell,
    covers: Int32Array.from(kept, (i) => cell.covers[i]!),
    rates: Float64Array.from(kept, (i) => cell.rates[i]!),
  };
}

const size = ({ cells, rrhTypes }: RfbInstance, c: number) =>
  Math.min(cells[c]!.covers.length, rrhTypes[cells[c]!.type]!.users);

/** One radio head at a node, and as many of a type as there may be; the first of the list have the first choice. */
export function withinLimits({ cells, rrhTypes }: RfbInstance, wanted: readonly number[]): readonly number[] {
  const left = rrhTypes.map(({ most }) => most);
  const taken = new Set<number>();
  return wanted.filter((c) => {
    const { node, type } = cells[c]!;
    if (taken.has(node) || left[type]! <= 0) return false;
    taken.add(node);
    left[type]! -= 1;
    return true;
  });
}
