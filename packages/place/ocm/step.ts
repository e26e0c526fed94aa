import { placeLimits } from '../errors.ts';
import type { Block, Chain } from './chain.ts';
import { stepExactly } from './exact-step.ts';
import type { HostPool } from './host-pool.ts';
import { stepLongChain } from './long-chain.ts';

/** Where one chain goes. */
export interface Step {
  /** Undefined: there is no place for it, or none was found. */
  readonly blocks?: readonly Block[];
  /** Millionths of a core that the switches take more; infinite where there is no place. */
  readonly cost: number;
  /** No placement costs less; where `optimal` it is the cost. */
  readonly bound: number;
  /** It is proven that there is nothing better, or nothing at all. */
  readonly optimal: boolean;
}

export type StepKind = 'ocm' | 'ocm-relaxed';

/**
 * The step of OCM for one chain: the partition of its functions, and a host for each block, that add least to what the
 * virtual switches take. `ocm` looks at all partitions; `ocm-relaxed` at those in which the chain comes to a host once, so
 * that blocks are pieces of it. Exact for chains of up to `placeLimits.exactFunctions`; longer ones get the best of several
 * guesses, with a bound.
 */
export function stepOcm(pool: HostPool, chain: Chain, kind: StepKind = 'ocm'): Step {
  return chain.functions.length <= placeLimits.exactFunctions
    ? stepExactly(pool, chain, kind)
    : stepLongChain(pool, chain, kind);
}
