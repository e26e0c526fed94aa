import { largest } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { stepBaseline } from './baselines.ts';
import { type Block, type Chain, runsOf } from './chain.ts';
import type { HostPool } from './host-pool.ts';
import { stepExactly } from './exact-step.ts';
import { keepsRules } from './rules.ts';
import type { Step, StepKind } from './step.ts';

/**
 * A chain that is too long for an exact step: the best of the whole chain on one host, of a walk that puts each function where it
 * adds least, and of pieces that are placed exactly, each on hosts of its own. What a piece costs alone bounds the whole
 * from below, because fewer functions never cost more; in the printed form of the cost model that does not hold, and there is
 * no bound.
 */
export function stepLongChain(pool: HostPool, chain: Chain, kind: StepKind): Step {
  const pieces = cut(chain);
  const alone = pieces.map((piece) => stepExactly(pool, piece, kind));
  const isMonotone = pool.problem.costModel === 'consistent';
  const bound = isMonotone ? largest(alone.map((step) => step.bound)) : Number.NEGATIVE_INFINITY;
  if (bound === Number.POSITIVE_INFINITY) return { cost: bound, bound, optimal: true };
  const guesses = [
    stepBaseline(pool, chain, 'gather', () => 0),
    stepBaseline(pool, chain, 'least-added', () => 0),
    inPieces(pool, pieces, kind),
  ];
  const kept = guesses.filter(
    ({ blocks }) =>
      blocks !== undefined &&
      (kind === 'ocm' || blocks.every(({ functions }) => runsOf(functions).length === 1)) &&
      keepsRules(pool, chain, blocks),
  );
  if (kept.length === 0) return { cost: Number.POSITIVE_INFINITY, bound, optimal: false };
  const best = kept.reduce((a, b) => (b.cost < a.cost ? b : a));
  return { ...best, bound, optimal: best.cost === bound };
}

function inPieces(pool: HostPool, pieces: readonly Chain[], kind: StepKind): Step {
  const nowhere = { cost: Number.POSITIVE_INFINITY, bound: Number.NEGATIVE_INFINITY, optimal: false };
  const free = new Set(pool.problem.hosts.keys());
  const blocks: Block[] = [];
  let cost = 0;
  let first = 0;
  for (const piece of pieces) {
    const functions = piece.functions.map(({ hosts, ...rest }) => ({
      ...rest,
      hosts: new Set([...(hosts ?? free)].filter((host) => free.has(host))),
    }));
    const step = stepExactly(pool, { ...piece, functions }, kind);
    if (step.blocks === undefined) return nowhere;
    for (const block of step.blocks) {
      free.delete(block.host);
      blocks.push({ host: block.host, functions: block.functions.map((each) => each + first) });
    }
    cost += step.cost;
    first += piece.functions.length;
  }
  return { ...nowhere, blocks, cost };
}

/** Pieces of about one length, without what joins them. */
function cut(chain: Chain): readonly Chain[] {
  const { functions } = chain;
  const count = Math.ceil(functions.length / placeLimits.exactFunctions);
  return Array.from({ length: count }, (_, piece): Chain => {
    const from = Math.round((piece * functions.length) / count);
    const until = Math.round(((piece + 1) * functions.length) / count);
    const inside = (partner: number) => partner >= from && partner < until;
    const kept = functions.slice(from, until).map((each) => ({
      ...each,
      partners: each.partners.flatMap((partner) => {
        if (partner.chain !== chain.number) return [partner];
        return inside(partner.function) ? [{ ...partner, function: partner.function - from }] : [];
      }),
    }));
    const { name, number, ratePps } = chain;
    return { name, number, ratePps, functions: kept, latencyMaxMs: Number.POSITIVE_INFINITY };
  });
}
