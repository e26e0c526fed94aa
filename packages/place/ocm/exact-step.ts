import { placeLimits } from '../errors.ts';
import { placeOverSites } from './across-sites.ts';
import { type Blocks, blocksOf } from './blocks.ts';
import type { Chain } from './chain.ts';
import { isBound, mayRun } from './constraints.ts';
import { amortised, type HostPool, READY_RUNS } from './host-pool.ts';
import { keepsRules } from './rules.ts';
import type { Step, StepKind } from './step.ts';
import { SubsetTable } from './subset-table.ts';
import { concurrentCost, switchingWork } from './switch-model.ts';

/**
 * Instead of a matching for each of the Bell(k) partitions: dynamic programming over hosts whose state is the set of functions
 * that have a place. Each of the 2^k - 1 blocks needs only its k cheapest hosts, because at most k - 1 are taken by
 * others: O(2^k m + k 3^k) for m hosts.
 */
export function stepExactly(pool: HostPool, chain: Chain, kind: StepKind): Step {
  const length = chain.functions.length;
  const weights = new Weights(pool, chain, blocksOf(length, kind === 'ocm-relaxed'));
  const everywhere = weights.table(undefined, false);
  const full = (1 << length) - 1;
  const bound = everywhere.cost(full);
  if (bound === Number.POSITIVE_INFINITY) return { cost: bound, bound, optimal: true };
  const blocks = everywhere.blocks(full);
  if (keepsRules(pool, chain, blocks)) return { blocks, cost: bound, bound, optimal: true };
  // What joins the hosts of different blocks is looked at by site.
  return placeOverSites(pool.problem, chain, (site, withCuts) => weights.table(site, withCuts), bound);
}

export interface Offer {
  readonly mask: number;
  readonly host: number;
  /** What the block adds to the switching of the host, in millionths of a core. */
  readonly cost: number;
}

/** Of each block the hosts on which it adds least, as many as the chain has functions: no other is needed for an optimum. */
export function cheapestOffers(pool: HostPool, chain: Chain, kind: StepKind): readonly Offer[] {
  const { length } = chain.functions;
  const offers: Offer[] = [];
  new Weights(pool, chain, blocksOf(length, kind === 'ocm-relaxed')).offerAll({
    scratchHosts: new Int32Array(length),
    scratchCosts: new Float64Array(length),
    offer: (mask, host, cost) => offers.push({ mask, host, cost }),
  });
  return offers;
}

/** What each block adds on each host, and where it fits. */
class Weights {
  readonly #pool: HostPool;
  readonly #chain: Chain;
  readonly #blocks: Blocks;
  /** By signature, then by host. */
  readonly #costs: Float64Array;
  /** Functions that may run on a host, as a mask. */
  readonly #allowed: Int32Array;
  readonly #headroom: Float64Array;
  /** By mask; infinite where affinity forbids the block. */
  readonly #guest: Float64Array;
  readonly #memory: Float64Array;

  constructor(pool: HostPool, chain: Chain, blocks: Blocks) {
    this.#pool = pool;
    this.#chain = chain;
    this.#blocks = blocks;
    this.#allowed = allowedFunctions(pool, chain);
    this.#headroom = Float64Array.from(pool.problem.hosts, (_, host) => pool.headroom(host));
    [this.#guest, this.#memory] = sizes(chain);
    this.#costs = signatureCosts(pool, chain, blocks);
  }

  /** The cheapest ways to place each set of functions on the hosts of one site, or of all. */
  table(site: number | undefined, withCuts: boolean): SubsetTable {
    const { hosts } = this.#pool.problem;
    const table = new SubsetTable(this.#chain.functions.length, hosts.length, withCuts);
    this.offerAll(table, site);
    table.solve();
    return table;
  }

  offerAll(table: Pick<SubsetTable, 'scratchHosts' | 'scratchCosts' | 'offer'>, site?: number): void {
    const candidates = this.#candidates(site);
    const { masks, signatureOf } = this.#blocks;
    for (let b = 0; b < masks.length; b += 1) this.#offer(table, masks[b]!, signatureOf[b]!, candidates);
  }

  #candidates(site: number | undefined): Int32Array {
    const { hosts } = this.#pool.problem;
    const all = Int32Array.from(hosts.keys()).filter((host) => this.#allowed[host] !== 0);
    return site === undefined ? all : all.filter((host) => hosts[host]!.site === site);
  }

  /** Its cheapest hosts, as many as the chain has functions; of hosts that cost the same, the first. */
  #offer(
    table: Pick<SubsetTable, 'scratchHosts' | 'scratchCosts' | 'offer'>,
    mask: number,
    signature: number,
    candidates: Int32Array,
  ): void {
    const [guest, memory] = [this.#guest[mask]!, this.#memory[mask]!];
    if (guest === Number.POSITIVE_INFINITY) return;
    const { memoryFree } = this.#pool;
    const wanted = this.#chain.functions.length;
    const offset = signature * this.#headroom.length;
    const [cheapest, costs] = [table.scratchHosts, table.scratchCosts];
    let count = 0;
    let worst = Number.POSITIVE_INFINITY;
    for (let i = 0; i < candidates.length; i += 1) {
      const host = candidates[i]!;
      const cost = this.#costs[offset + host]!;
      if (cost >= worst) continue;
      if (guest + cost > this.#headroom[host]!) continue;
      if ((this.#allowed[host]! & mask) !== mask || memory > memoryFree[host]!) continue;
      let at = count < wanted ? count : wanted - 1;
      for (; at > 0 && costs[at - 1]! > cost; at -= 1) {
        costs[at] = costs[at - 1]!;
        cheapest[at] = cheapest[at - 1]!;
      }
      costs[at] = cost;
      cheapest[at] = host;
      if (count < wanted) count += 1;
      if (count === wanted) worst = costs[wanted - 1]!;
    }
    for (let i = 0; i < count; i += 1) table.offer(mask, cheapest[i]!, costs[i]!);
  }
}

function allowedFunctions(pool: HostPool, { functions }: Chain): Int32Array {
  const { hosts } = pool.problem;
  const allowed = new Int32Array(hosts.length).fill((1 << functions.length) - 1);
  functions.forEach((wanted, i) => {
    if (!isBound(wanted)) return;
    for (let host = 0; host < hosts.length; host += 1) {
      if (!mayRun(pool, wanted, host)) allowed[host]! &= ~(1 << i);
    }
  });
  return allowed;
}

/** Processor time and memory of the functions in each mask. */
function sizes({ number, functions }: Chain): readonly [Float64Array, Float64Array] {
  const count = 1 << functions.length;
  const [guest, memory] = [new Float64Array(count), new Float64Array(count)];
  for (let mask = 1; mask < count; mask += 1) {
    const first = 31 - Math.clz32(mask & -mask);
    guest[mask] = guest[mask & (mask - 1)]! + functions[first]!.guest;
    memory[mask] = memory[mask & (mask - 1)]! + functions[first]!.memoryMiB;
  }
  functions.forEach(({ partners }, i) => {
    for (const { chain, function: other, kind, scope } of partners) {
      if (chain !== number || other < i) continue;
      const pair = (1 << i) | (1 << other);
      for (let mask = 1; mask < count; mask += 1) {
        const both = (mask & pair) === pair;
        const broken = kind === 'apart' ? both : scope === 'host' && (mask & pair) !== 0 && !both;
        if (broken) guest[mask] = Number.POSITIVE_INFINITY;
      }
    }
  });
  return [guest, memory];
}

/** What runs of these lengths add to each host. The part that hosts with as many sub-chains share is worked out once. */
function signatureCosts(pool: HostPool, chain: Chain, { signatures }: Blocks): Float64Array {
  const { hosts, models, costModel } = pool.problem;
  const count = hosts.length;
  const costs = new Float64Array(signatures.length * count);
  const classOf = new Int32Array(count);
  const classes: { readonly model: number; readonly runs: number }[] = [];
  const numbers = new Map<number, number>();
  for (let host = 0; host < count; host += 1) {
    const [model, runs] = [hosts[host]!.model, pool.runs[host]!];
    const key = model * (placeLimits.subChains + 1) + runs;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = classes.push({ model, runs }) - 1));
    classOf[host] = number;
  }
  const works = models.map((model) =>
    Float64Array.from(chain.functions, (_, i) => switchingWork(model, { length: i + 1, ratePps: chain.ratePps })),
  );
  signatures.forEach((lengths, s) => {
    const q = lengths.length;
    const added = (model: number, copies: number) =>
      lengths.reduce((sum, length) => sum + concurrentCost(models[model]!, works[model]![length - 1]!, copies), 0);
    const sums = Float64Array.from(classes, ({ model, runs }) => added(model, runs + q));
    const alone = Float64Array.from(classes, ({ model }) => added(model, 1));
    const offset = s * count;
    for (let host = 0; host < count; host += 1) {
      const r = pool.runs[host]! + q;
      const sum = pool.ready[host * (READY_RUNS + 1) + q]! + sums[classOf[host]!]!;
      const after = amortised(costModel, r, sum, pool.alone[host]! + alone[classOf[host]!]!);
      costs[offset + host] = r > placeLimits.subChains ? Number.POSITIVE_INFINITY : after - pool.switching[host]!;
    }
  });
  return costs;
}
