import { reportError, SuperfluidityError } from '@superfluidity/core';
import { chooseChainHosts } from './chain-hosts.ts';
import { placeLimits } from './errors.ts';
import { solveExactly } from './exact.ts';
import { explainChoice, explainRefusal, fill, summarise } from './explain.ts';
import { solveGreedily } from './greedy.ts';
import { compileProblem, costAt, type Problem } from './problem.ts';
import type { PlacementRequest, PlacementResult } from './request.ts';
import type { Solver } from './solver.ts';
import { State } from './state.ts';

/**
 * Greedy with improvement; where the service is small enough to hope for a proof, branch and bound from there. That decides by
 * latency, cost and resources, for which hosts of one site are alike: of these, chains get those whose switches take least.
 */
export const defaultSolver: Solver = (problem) => {
  const greedy = solveGreedily(problem);
  const solution = problem.units.length <= 24 ? solveExactly(problem, greedy) : greedy;
  return solution.found ? chooseChainHosts(problem, solution) : solution;
};

/** Decides where each unit goes, or explains why there is no place for one. Pure and deterministic. */
export function place(request: PlacementRequest, solver: Solver = defaultSolver): PlacementResult {
  const tooLarge = overLimit(request);
  if (tooLarge !== undefined) return { ok: false, error: reportError(tooLarge), refusals: [] };
  const problem = compileProblem(request);
  const solution = solver(problem);
  if (!solution.found) return refuse(problem, solution.unit, solution.hostOf);
  const state = fill(new State(problem), solution.hostOf);
  return {
    ok: true,
    assignments: problem.units.map(({ path, index, requirements }, unit) => {
      const host = solution.hostOf[unit]!;
      const site = problem.sites[problem.siteOfHost[host]!]!;
      const note = solution.notes?.get(unit);
      return {
        path,
        index,
        site: site.name,
        host: problem.hosts[host]!.name,
        reason: [explainChoice(state, unit), ...(note === undefined ? [] : [note])].join('; '),
        cost: costAt(requirements, site),
      };
    }),
    chains: problem.chains.map(({ name }, chain) => ({ name, latencyMs: state.chainLatencyMs(chain) })),
    score: solution.score,
    optimal: solution.optimal,
  };
}

function refuse(problem: Problem, unit: number, hostOf: Int32Array): PlacementResult {
  const { path, index } = problem.units[unit]!;
  const refusals = explainRefusal(fill(new State(problem), hostOf), unit);
  const byChain = refusals.some(({ kind }) => kind === 'chain');
  const error = new SuperfluidityError(byChain ? 'SF-PLACE-CHAIN' : 'SF-PLACE-NO-CANDIDATE', {
    doing: `place ${path}${index === 0 ? '' : ` number ${index}`}`,
    reason: summarise(refusals, problem),
    data: { unit: { path, index }, refusals },
  });
  return { ok: false, error: reportError(error), unit: { path, index }, refusals };
}

function overLimit({ units, sites }: PlacementRequest): SuperfluidityError | undefined {
  const sizes = {
    units: units.length,
    sites: sites.length,
    hosts: sites.reduce((sum, site) => sum + site.hosts.length, 0),
  };
  for (const what of ['units', 'sites', 'hosts'] as const) {
    if (sizes[what] <= placeLimits[what]) continue;
    return new SuperfluidityError('SF-PLACE-LIMIT', {
      doing: 'place',
      reason: `${sizes[what]} ${what}, at most ${placeLimits[what]}`,
    });
  }
  return undefined;
}
