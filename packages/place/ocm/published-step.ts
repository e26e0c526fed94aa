import { append, SuperfluidityError } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { assign } from './assignment.ts';
import { forEachSegmentation, forEachSetPartition, functionsOf } from './blocks.ts';
import { type Block, type Chain, runsOf } from './chain.ts';
import { refuseFunction } from './constraints.ts';
import type { HostPool } from './host-pool.ts';
import type { StepKind } from './step.ts';
import { hostSwitchingCost, type SubChain } from './switch-model.ts';

/**
 * The step as it is published (figure 7 of Superfluidity D6.1): all partitions of the chain, the predicted cost of each block
 * on each host, and for each partition a matching of least weight between blocks and hosts. Bell(k) O(k^2 m) for k
 * functions and m hosts. It is here to hold `stepOcm` against, and shares neither the search nor the sums with it: costs
 * come from their definition. What joins blocks, latency and affinity in sites, it does not know.
 */
export function publishedStep(
  pool: HostPool,
  chain: Chain,
  kind: StepKind,
): { readonly cost: number; readonly blocks?: readonly Block[] } {
  const length = chain.functions.length;
  if (length > placeLimits.exactFunctions) {
    throw new SuperfluidityError('SF-PLACE-LIMIT', {
      doing: `place ${chain.name}`,
      reason: `${length} functions, at most ${placeLimits.exactFunctions} have their partitions listed`,
    });
  }
  const { hosts } = pool.problem;
  const weights = new Map<number, Float64Array>();
  const ground = groundOf(pool);
  const rowOf = (mask: number): Float64Array => {
    let row = weights.get(mask);
    if (row === undefined) weights.set(mask, (row = weightsOf(pool, chain, functionsOf(mask), ground)));
    return row;
  };
  let best: { readonly cost: number; readonly blocks?: readonly Block[] } = { cost: Number.POSITIVE_INFINITY };
  const visit = (masks: Int32Array, count: number) => {
    if (count > hosts.length) return;
    const rows = Array.from(masks.subarray(0, count), rowOf);
    const match = assign((row, host) => rows[row]![host]!, count, hosts.length);
    if (match === undefined || match.cost >= best.cost) return;
    const blocks = rows.map((_, row) => ({ host: match.columnOf[row]!, functions: functionsOf(masks[row]!) }));
    best = { cost: match.cost, blocks };
  };
  if (kind === 'ocm') forEachSetPartition(length, visit);
  else forEachSegmentation(length, visit);
  return best;
}

/** What is on each host, from the list of what was placed. */
interface Ground {
  readonly subChains: readonly SubChain[];
  readonly guest: number;
  readonly memoryMiB: number;
}

function groundOf({ problem, placed }: HostPool): readonly Ground[] {
  const ground = problem.hosts.map(() => ({ subChains: [] as SubChain[], guest: 0, memoryMiB: 0 }));
  placed.forEach((hostOf, number) => {
    if (hostOf === undefined) return;
    const { functions, ratePps } = problem.chains[number]!;
    for (const host of new Set(hostOf)) {
      const here = Array.from(functions.keys()).filter((each) => hostOf[each] === host);
      const on = ground[host]!;
      append(
        on.subChains,
        runsOf(here).map((length) => ({ length, ratePps })),
      );
      for (const each of here) {
        on.guest += functions[each]!.guest;
        on.memoryMiB += functions[each]!.memoryMiB;
      }
    }
  });
  return ground;
}

function weightsOf(
  pool: HostPool,
  chain: Chain,
  functions: readonly number[],
  ground: readonly Ground[],
): Float64Array {
  const { hosts, costModel } = pool.problem;
  const own = functions.map((each) => chain.functions[each]!);
  const torn = own.some(({ partners }) =>
    partners.some(({ chain: other, function: partner, kind, scope }) => {
      if (other !== chain.number) return false;
      const inside = functions.includes(partner);
      return kind === 'apart' ? inside : scope === 'host' && !inside;
    }),
  );
  const added = runsOf(functions).map((length) => ({ length, ratePps: chain.ratePps }));
  return Float64Array.from(hosts, ({ capacity, memoryMiB, model }, host) => {
    const { subChains, guest, memoryMiB: used } = ground[host]!;
    const before = hostSwitchingCost(pool.problem.models[model]!, subChains, costModel);
    const after = hostSwitchingCost(pool.problem.models[model]!, [...subChains, ...added], costModel);
    const fits =
      !torn &&
      subChains.length + added.length <= placeLimits.subChains &&
      own.every((each) => refuseFunction(pool, each, host) === undefined) &&
      own.reduce((sum, each) => sum + each.memoryMiB, used) <= memoryMiB &&
      own.reduce((sum, each) => sum + each.guest, guest) + after <= capacity;
    return fits ? after - before : Number.POSITIVE_INFINITY;
  });
}
