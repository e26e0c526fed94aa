import { seeded } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { type Baseline, stepBaseline } from './baselines.ts';
import { type Block, type Chain, chainLatencyMs, type ChainsProblem } from './chain.ts';
import type { ChainPolicy } from './choices.ts';
import { explainBlock, explainRefusal, explainStep, type GroupedRefusal } from './explain.ts';
import { HostPool } from './host-pool.ts';
import { hostsOf } from './rules.ts';
import { type Step, stepOcm } from './step.ts';
import { beyondRange, MICRO_CORES } from './switch-model.ts';

export interface PlaceChainsOptions {
  readonly policy: ChainPolicy;
  /** Of `random`. */
  readonly seed?: number;
}

export interface ChainsResult {
  readonly policy: ChainPolicy;
  readonly costModel: ChainsProblem['costModel'];
  /** In the order of the request. */
  readonly chains: readonly ChainOutcome[];
  /** Those on which something runs. */
  readonly hosts: readonly HostOutcome[];
  readonly totals: {
    readonly accepted: number;
    readonly refused: number;
    /** C^h and C^g of all hosts. */
    readonly switchingCores: number;
    readonly guestCores: number;
    readonly hostsUsed: number;
  };
  readonly warnings: readonly string[];
}

export type ChainOutcome =
  | {
      readonly chain: string;
      readonly accepted: true;
      /** What the switches take more. */
      readonly switchingCores: number;
      readonly latencyMs: number;
      /** No placement of this chain costs less, with what was placed before it. */
      readonly optimal: boolean;
      /** No placement of this chain is under it; absent where the policy knows none. */
      readonly boundCores?: number;
      readonly reason: string;
      readonly blocks: readonly {
        readonly host: string;
        readonly functions: readonly string[];
        readonly switchingCores: number;
        readonly reason: string;
      }[];
    }
  | {
      readonly chain: string;
      readonly accepted: false;
      readonly code: 'SF-PLACE-NO-CANDIDATE' | 'SF-PLACE-CHAIN';
      readonly reason: string;
      /** Proven, and not only not found. */
      readonly proven: boolean;
      readonly refusals: readonly GroupedRefusal[];
    };

export interface HostOutcome {
  readonly host: string;
  readonly subChains: number;
  readonly guestCores: number;
  readonly switchingCores: number;
  readonly freeCores: number;
}

/** Where the next chain goes by a policy. */
export function stepBy(pool: HostPool, chain: Chain, policy: ChainPolicy, random: () => number): Step {
  return policy === 'ocm' || policy === 'ocm-relaxed'
    ? stepOcm(pool, chain, policy)
    : stepBaseline(pool, chain, policy satisfies Baseline, random);
}

/**
 * Places chains online: one after the other in the order of the request, none of them moved afterwards, with a reason for each
 * choice and for each refusal. Pure and deterministic.
 */
export function placeChains(problem: ChainsProblem, { policy, seed = 1 }: PlaceChainsOptions): ChainsResult {
  const pool = new HostPool(problem);
  const random = seeded(seed);
  let explained = 0;
  const chains = problem.chains.map((chain): ChainOutcome => {
    const step = stepBy(pool, chain, policy, random);
    if (step.blocks === undefined) {
      explained += 1;
      return explained <= placeLimits.explainedChains ? refused(pool, chain, policy, step) : refusedToo(chain, step);
    }
    const outcome = accepted(pool, chain, policy, step, step.blocks);
    pool.commit(chain, step.blocks);
    return outcome;
  });
  const hosts = usedHosts(pool);
  const count = chains.filter((chain) => chain.accepted).length;
  const sum = (of: (host: HostOutcome) => number) => hosts.reduce((total, host) => total + of(host), 0);
  return {
    policy,
    costModel: problem.costModel,
    chains,
    hosts,
    totals: {
      accepted: count,
      refused: chains.length - count,
      switchingCores: pool.totalSwitching / MICRO_CORES,
      guestCores: round(sum(({ guestCores }) => guestCores)),
      hostsUsed: hosts.length,
    },
    warnings: warnings(problem),
  };
}

function accepted(
  pool: HostPool,
  chain: Chain,
  policy: ChainPolicy,
  step: Step,
  blocks: readonly Block[],
): ChainOutcome {
  const { problem } = pool;
  return {
    chain: chain.name,
    accepted: true,
    switchingCores: step.cost / MICRO_CORES,
    latencyMs: round(chainLatencyMs(problem, chain, hostsOf(chain, blocks))),
    optimal: step.optimal,
    ...(Number.isFinite(step.bound) ? { boundCores: step.bound / MICRO_CORES } : {}),
    reason: explainStep(pool, chain, policy, step),
    blocks: blocks.map((block) => ({
      host: problem.hosts[block.host]!.name,
      functions: block.functions.map((each) => chain.functions[each]!.name),
      switchingCores: pool.marginalCost(chain, block) / MICRO_CORES,
      reason: explainBlock(pool, chain, block),
    })),
  };
}

function refused(pool: HostPool, chain: Chain, policy: ChainPolicy, step: Step): ChainOutcome {
  const { reason, byChain, refusals } = explainRefusal(pool, chain, policy, step);
  const code = byChain ? 'SF-PLACE-CHAIN' : 'SF-PLACE-NO-CANDIDATE';
  return { chain: chain.name, accepted: false, code, reason, proven: step.optimal, refusals };
}

/** What speaks against every host is worked out for the first refusals only: there may be as many as chains. */
function refusedToo({ name }: Chain, { optimal }: Step): ChainOutcome {
  const reason = `no place was found, as for ${placeLimits.explainedChains} chains before it`;
  return { chain: name, accepted: false, code: 'SF-PLACE-NO-CANDIDATE', reason, proven: optimal, refusals: [] };
}

function usedHosts(pool: HostPool): readonly HostOutcome[] {
  return pool.problem.hosts.flatMap(({ name }, host) =>
    pool.runs[host] === 0
      ? []
      : [
          {
            host: name,
            subChains: pool.runs[host]!,
            guestCores: pool.guest[host]! / MICRO_CORES,
            switchingCores: pool.switching[host]! / MICRO_CORES,
            freeCores: pool.headroom(host) / MICRO_CORES,
          },
        ],
  );
}

const WARNINGS_MAX = 20;

/** Chains that the models of the switches were not fitted to. */
function warnings({ chains, models, hosts }: ChainsProblem): readonly string[] {
  const used = [...new Set(hosts.map(({ model }) => model))].map((model) => models[model]!);
  const all = chains.flatMap(({ name, functions, ratePps }) =>
    used.flatMap((model) => {
      const beyond = beyondRange(model, { length: functions.length, ratePps });
      return beyond === undefined ? [] : [`chain ${name}: ${beyond}`];
    }),
  );
  const more = all.length - WARNINGS_MAX;
  return more > 0 ? [...all.slice(0, WARNINGS_MAX), `and ${more} more`] : all;
}

const round = (value: number) => Math.round(value * 1e6) / 1e6;
