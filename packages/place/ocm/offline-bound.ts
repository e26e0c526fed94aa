import { SuperfluidityError } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { LpText } from '../milp/lp-text.ts';
import { type MilpAnswer, solveMilp } from '../milp/solve.ts';
import { blocksOf, functionsOf } from './blocks.ts';
import type { Chain, ChainsProblem } from './chain.ts';
import { mayRun } from './constraints.ts';
import { cheapestOffers } from './exact-step.ts';
import { HostPool } from './host-pool.ts';
import type { StepKind } from './step.ts';
import { MICRO_CORES, switchingWork } from './switch-model.ts';

/**
 * Least that switches can take for these chains, all known beforehand and all placed: one mixed-integer programme over blocks
 * and hosts. Latency, and affinity between chains and in sites, are left out, and what a polling switch takes is bounded by its
 * base and by its work, of which it never takes less (the mean of a convex function): a lower bound, and for kernel
 * switches without those rules the optimum. For small cases: it rejects with SF-PLACE-LIMIT beyond
 * `placeLimits.milpVariables`.
 */
export async function offlineBound(
  problem: ChainsProblem,
  chains: readonly Chain[],
  timeLimitMs: number,
): Promise<MilpAnswer & { readonly cost?: number }> {
  if (problem.costModel !== 'consistent') throw limit('the printed form of the cost model has no linear bound');
  const variables = chains.reduce((sum, { functions }) => sum + 2 ** functions.length * problem.hosts.length, 0);
  if (variables > placeLimits.milpVariables) {
    throw limit(`about ${variables} variables, at most ${placeLimits.milpVariables}`);
  }
  const answer = await solveMilp({ programme: offlineProgramme(problem, chains), timeLimitMs });
  return answer.status === 'optimal' ? { ...answer, cost: Math.round(answer.objective * MICRO_CORES) } : answer;
}

function limit(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-PLACE-LIMIT', { doing: 'bound a sequence of chains', reason });
}

function offlineProgramme(problem: ChainsProblem, chains: readonly Chain[]): string {
  const lp = new LpText();
  const pool = new HostPool(problem);
  const load = problem.hosts.map((): [string, number][] => []);
  const memory = problem.hosts.map((): [string, number][] => []);
  const works = problem.hosts.map((): [string, number][] => []);
  chains.forEach((chain, c) => {
    const covering = chain.functions.map((): [string, number][] => []);
    const { masks, signatureOf, signatures } = blocksOf(chain.functions.length, false);
    problem.hosts.forEach(({ model }, host) => {
      const onHost: [string, number][] = [];
      masks.forEach((mask, b) => {
        const functions = functionsOf(mask);
        if (!functions.every((each) => mayRun(pool, chain.functions[each]!, host)) || isTorn(chain, functions)) return;
        const name = `x_${c}_${mask}_${host}`;
        const work = signatures[signatureOf[b]!]!.reduce(
          (sum, length) => sum + switchingWork(problem.models[model]!, { length, ratePps: chain.ratePps }),
          0,
        );
        const sum = (of: (each: number) => number) => functions.reduce((total, each) => total + of(each), 0);
        lp.binary(name, 0);
        onHost.push([name, 1]);
        for (const each of functions) covering[each]!.push([name, 1]);
        works[host]!.push([name, work / MICRO_CORES]);
        load[host]!.push([name, sum((each) => chain.functions[each]!.guest) / MICRO_CORES]);
        memory[host]!.push([name, sum((each) => chain.functions[each]!.memoryMiB)]);
      });
      // One block of a chain on a host, and none on a switch that is off.
      lp.constrain([...onHost, [`y_${host}`, -1]], '<=', 0);
    });
    for (const terms of covering) {
      // A function that may run nowhere leaves no placement at all.
      if (terms.length === 0) lp.constrain([['nowhere', 1]], '<=', -1);
      else lp.constrain(terms, '=', 1);
    }
  });
  problem.hosts.forEach(({ model, capacity, memoryMiB }, host) => {
    const { form, coefficients } = problem.models[model]!;
    const cost: readonly [string, number] = [`c_${host}`, -1];
    lp.binary(`y_${host}`, 0);
    lp.continuous(cost[0], 1);
    if (form === 'interrupt') lp.constrain([...works[host]!, [`y_${host}`, coefficients.base], cost], '<=', 0);
    else {
      lp.constrain([...works[host]!, cost], '<=', 0);
      lp.constrain([[`y_${host}`, coefficients.base], cost], '<=', 0);
    }
    lp.constrain([...load[host]!, [cost[0], 1]], '<=', capacity / MICRO_CORES);
    if (Number.isFinite(memoryMiB)) lp.constrain(memory[host]!, '<=', memoryMiB);
  });
  return lp.toString();
}

function isTorn({ number, functions: all }: Chain, functions: readonly number[]): boolean {
  return functions.some((each) =>
    all[each]!.partners.some(({ chain, function: partner, kind, scope }) => {
      if (chain !== number) return false;
      const inside = functions.includes(partner);
      return kind === 'apart' ? inside : scope === 'host' && !inside;
    }),
  );
}

/** The step of one chain as a set-partitioning programme over the cheapest hosts of each block: a peer to hold `stepOcm` against. */
export async function stepByMilp(
  pool: HostPool,
  chain: Chain,
  kind: StepKind,
  timeLimitMs: number,
): Promise<MilpAnswer & { readonly cost?: number }> {
  const lp = new LpText();
  const covering = chain.functions.map((): [string, number][] => []);
  const onHost = new Map<number, [string, number][]>();
  for (const { mask, host, cost } of cheapestOffers(pool, chain, kind)) {
    const name = `x_${mask}_${host}`;
    lp.binary(name, cost / MICRO_CORES);
    for (const each of functionsOf(mask)) covering[each]!.push([name, 1]);
    onHost.set(host, [...(onHost.get(host) ?? []), [name, 1]]);
  }
  if (covering.some((terms) => terms.length === 0)) return { status: 'infeasible' };
  for (const terms of covering) lp.constrain(terms, '=', 1);
  for (const terms of onHost.values()) lp.constrain(terms, '<=', 1);
  const answer = await solveMilp({ programme: lp.toString(), timeLimitMs });
  return answer.status === 'optimal' ? { ...answer, cost: Math.round(answer.objective * MICRO_CORES) } : answer;
}
