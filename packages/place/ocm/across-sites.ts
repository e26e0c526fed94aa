import { placeLimits } from '../errors.ts';
import { type Block, type Chain, type ChainsProblem, LATENCY_SLACK_MS, latencyBetween } from './chain.ts';
import type { Step } from './step.ts';
import type { SubsetTable } from './subset-table.ts';

/**
 * The cheapest placement that keeps latency and affinity in sites: a search over the sites of the functions, in the order of
 * the chain. What a set of functions costs in a site stands in its table, and the least that any larger set costs there
 * bounds what is begun. After `placeLimits.siteWork` steps, or where more sites qualify than get a table, the best so far is
 * the answer, and `optimal` is false.
 */
export function placeOverSites(
  problem: ChainsProblem,
  chain: Chain,
  tableOf: (site: number, withCuts: boolean) => SubsetTable,
  bound: number,
): Step {
  return new SiteSearch(problem, chain, tableOf, bound).run();
}

interface Candidate {
  readonly site: number;
  readonly table: SubsetTable;
  /** By set of functions: the least that it, or any set around it, costs here. */
  readonly least: Float64Array;
  readonly hostLatencyMs: number;
}

class SiteSearch {
  readonly #problem: ChainsProblem;
  readonly #chain: Chain;
  readonly #candidates: readonly Candidate[];
  readonly #bound: number;
  /** Sites that qualify were left out. */
  readonly #trimmed: boolean;
  /** Of each function so far: a number of a candidate. */
  readonly #siteOf: number[] = [];
  readonly #masks: number[];
  #best: { readonly cost: number; readonly blocks: readonly Block[] } | undefined;
  #work = 0;

  constructor(
    problem: ChainsProblem,
    chain: Chain,
    tableOf: (site: number, withCuts: boolean) => SubsetTable,
    bound: number,
  ) {
    this.#problem = problem;
    this.#chain = chain;
    this.#bound = bound;
    const qualified = qualifiedSites(problem, chain);
    const kept = qualified.slice(0, placeLimits.siteTables);
    this.#trimmed = kept.length < qualified.length;
    this.#candidates = kept.flatMap((site): readonly Candidate[] => {
      const { hostLatencyMs } = problem.sites[site]!;
      const table = tableOf(site, Number.isFinite(chain.latencyMaxMs) && hostLatencyMs > 0);
      const least = leastAround(table, chain.functions.length);
      return Number.isFinite(least[0]!) ? [{ site, table, least, hostLatencyMs }] : [];
    });
    this.#masks = this.#candidates.map(() => 0);
  }

  run(): Step {
    this.#descend(0, 0);
    const complete = this.#work <= placeLimits.siteWork && !this.#trimmed;
    if (this.#best === undefined) return { cost: Number.POSITIVE_INFINITY, bound: this.#bound, optimal: complete };
    const { cost, blocks } = this.#best;
    const optimal = complete || cost === this.#bound;
    return { blocks, cost, bound: optimal ? cost : this.#bound, optimal };
  }

  #descend(at: number, latencyMs: number): void {
    this.#work += 1;
    if (this.#work > placeLimits.siteWork || this.#best?.cost === this.#bound) return;
    if (this.#begun() >= (this.#best?.cost ?? Number.POSITIVE_INFINITY)) return;
    if (at === this.#chain.functions.length) {
      this.#settle(latencyMs);
      return;
    }
    for (const number of this.#inOrder(at)) {
      const next = latencyMs + this.#step(at, number);
      if (next + this.#rest(number) > this.#chain.latencyMaxMs + LATENCY_SLACK_MS) continue;
      if (this.#keptApart(at, number)) continue;
      this.#siteOf[at] = number;
      this.#masks[number]! |= 1 << at;
      this.#descend(at + 1, next);
      this.#masks[number]! &= ~(1 << at);
      this.#siteOf.length = at;
    }
  }

  #begun(): number {
    return this.#candidates.reduce((sum, { least }, number) => {
      const mask = this.#masks[number]!;
      // In the printed form of the cost model more may cost less than nothing.
      return sum + (mask === 0 ? Math.min(0, least[0]!) : least[mask]!);
    }, 0);
  }

  /** The site of the function before it first, then the others by what the function costs there. */
  #inOrder(at: number): readonly number[] {
    const before = this.#siteOf[at - 1];
    const added = this.#candidates.map(({ least }, number) => least[this.#masks[number]! | (1 << at)]!);
    return Array.from(this.#candidates.keys())
      .filter((number) => Number.isFinite(added[number]!))
      .toSorted((a, b) => Number(b === before) - Number(a === before) || added[a]! - added[b]! || a - b);
  }

  #step(at: number, number: number): number {
    const { site } = this.#candidates[number]!;
    const before = at === 0 ? this.#chain.from : this.#candidates[this.#siteOf[at - 1]!]!.site;
    return before === undefined ? 0 : latencyBetween(this.#problem, before, site);
  }

  #rest(number: number): number {
    const { to } = this.#chain;
    return to === undefined ? 0 : latencyBetween(this.#problem, this.#candidates[number]!.site, to);
  }

  #keptApart(at: number, number: number): boolean {
    return this.#chain.functions[at]!.partners.some(({ chain, function: other, kind, scope }) => {
      if (chain !== this.#chain.number || other >= at) return false;
      const alike = this.#siteOf[other] === number;
      return kind === 'together' ? !alike : scope === 'site' && alike;
    });
  }

  /** All functions have a site: in each the cuts are chosen that the latency still allows. */
  #settle(latencyMs: number): void {
    const last = this.#siteOf.at(-1)!;
    const used = Array.from(this.#candidates.keys()).filter((number) => this.#masks[number] !== 0);
    const choose = (i: number, leftMs: number, cost: number, blocks: readonly Block[]): void => {
      if (i === used.length) {
        if (cost < (this.#best?.cost ?? Number.POSITIVE_INFINITY)) this.#best = { cost, blocks };
        return;
      }
      const { table, hostLatencyMs } = this.#candidates[used[i]!]!;
      const mask = this.#masks[used[i]!]!;
      for (let cuts = 0; cuts <= table.mostCuts; cuts += 1) {
        const left = leftMs - cuts * hostLatencyMs;
        if (left < -LATENCY_SLACK_MS) return;
        const more = table.costWith(mask, cuts);
        if (Number.isFinite(more)) choose(i + 1, left, cost + more, [...blocks, ...table.blocks(mask, cuts)]);
      }
    };
    choose(0, this.#chain.latencyMaxMs - latencyMs - this.#rest(last), 0, []);
  }
}

/** Those on some way that is short enough, the least out of the way first. */
function qualifiedSites(problem: ChainsProblem, { from, to, latencyMaxMs }: Chain): readonly number[] {
  const detour = (site: number) =>
    (from === undefined ? 0 : latencyBetween(problem, from, site)) +
    (to === undefined ? 0 : latencyBetween(problem, site, to));
  return Array.from(problem.sites.keys())
    .filter((site) => detour(site) <= latencyMaxMs + LATENCY_SLACK_MS)
    .toSorted((a, b) => detour(a) - detour(b) || a - b);
}

function leastAround(table: SubsetTable, length: number): Float64Array {
  const count = 1 << length;
  const least = Float64Array.from({ length: count }, (_, set) =>
    set === 0 ? Number.POSITIVE_INFINITY : table.cost(set),
  );
  for (let bit = 1; bit < count; bit <<= 1) {
    for (let set = 0; set < count; set += 1) {
      if ((set & bit) === 0) least[set] = Math.min(least[set]!, least[set | bit]!);
    }
  }
  return least;
}
