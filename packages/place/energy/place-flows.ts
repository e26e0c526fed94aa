import { bestRoute } from './best-route.ts';
import { jointRoutes } from './joint-milp.ts';
import { nearestFirst } from './nearest.ts';
import { NetworkState } from './network-state.ts';
import { type EnergyProblem, type Flow, type Route, wattsOf } from './problem.ts';

export const energyPolicies = ['nsff', 'ensf', 'sfra'] as const;
export type EnergyPolicy = (typeof energyPolicies)[number];

export interface PlacedFlows {
  readonly policy: EnergyPolicy | 'milp';
  /** By flow; undefined where there was no way or no room. */
  readonly routes: readonly (Route | undefined)[];
  readonly on: readonly boolean[];
  readonly watts: number;
  /** No routes of all flows take less. Only of all flows together. */
  readonly boundWatts?: number;
  readonly proven?: boolean;
}

/**
 * Flow by flow, in their order: NSFF and ENSF by the nearest node, SFRA by the best route of each. What is placed stays:
 * none of them knows of the flows to come.
 */
export function placeFlows(problem: EnergyProblem, policy: EnergyPolicy): PlacedFlows {
  const state = new NetworkState(problem);
  const routes = problem.flows.map((flow) => place(state, flow, policy));
  return { policy, routes, on: state.on, watts: wattsOf(problem, state.on) };
}

function place(state: NetworkState, flow: Flow, policy: EnergyPolicy): Route | undefined {
  const route = policy === 'sfra' ? bestRoute(state, flow).route : nearestFirst(state, flow, policy === 'ensf');
  // A way that comes to a link twice may have more of it than there is.
  if (route === undefined || !state.fits(flow, route)) return undefined;
  state.add(flow, route);
  return route;
}

/**
 * All flows together, as `jointRoutes`; undefined where not all of them can be there at once. Where there are too many for the
 * programme, or too little time, the heuristic that places most flows, and of these with the least power, with a bound.
 */
export async function placeTogether(problem: EnergyProblem, timeLimitMs: number): Promise<PlacedFlows | undefined> {
  const answer = await jointRoutes(problem, timeLimitMs);
  if (answer === 'infeasible') return undefined;
  if (answer === 'unknown') return bestHeuristic(problem);
  const { routes, boundWatts, proven } = answer;
  const state = new NetworkState(problem);
  routes.forEach((route, f) => state.add(problem.flows[f]!, route));
  const before = wattsOf(
    problem,
    problem.nodes.map(({ on }) => on),
  );
  return {
    policy: 'milp',
    routes,
    on: state.on,
    watts: wattsOf(problem, state.on),
    boundWatts: boundWatts + before,
    proven,
  };
}

function bestHeuristic(problem: EnergyProblem): PlacedFlows {
  const lost = ({ routes }: PlacedFlows) => routes.reduce((count, route) => count + (route === undefined ? 1 : 0), 0);
  const [best] = energyPolicies
    .map((policy) => placeFlows(problem, policy))
    .toSorted((a, b) => lost(a) - lost(b) || a.watts - b.watts);
  const boundWatts = leastWatts(problem);
  return { ...best!, boundWatts, proven: lost(best!) === 0 && best!.watts <= boundWatts + 1e-6 };
}

/** What is on stays on, and of the functions that are asked for, the one whose cheapest node takes most needs that one. */
function leastWatts(problem: EnergyProblem): number {
  const { nodes, flows } = problem;
  const wanted = new Set(flows.flatMap(({ functions }) => functions.map(({ kind }) => kind)));
  const more = [...wanted].map((kind) => {
    const at = nodes.filter((node) => node.functions.includes(kind));
    return at.reduce((least, { on, watts }) => Math.min(least, on ? 0 : watts), Number.POSITIVE_INFINITY);
  });
  const already = nodes.map(({ on }) => on);
  return (
    wattsOf(problem, already) + more.reduce((most, each) => (Number.isFinite(each) ? Math.max(most, each) : most), 0)
  );
}

export interface Reallocated extends PlacedFlows {
  /** Flows that go another way than before, and those that have none any more. */
  readonly moved: readonly number[];
  readonly lost: readonly number[];
}

/**
 * Demand grows by a factor. What still fits stays where it is, the largest flows first; the others are placed again by the
 * policy. Where that leaves some without a way, everything is placed anew, and the answer is the one that loses fewer flows.
 */
export function reallocate(
  problem: EnergyProblem,
  { routes: before, policy }: PlacedFlows,
  factor: number,
): Reallocated {
  const grown: EnergyProblem = {
    ...problem,
    flows: problem.flows.map((flow) => ({ ...flow, mbps: flow.mbps * factor })),
  };
  const by = policy === 'milp' ? 'sfra' : policy;
  const kept = keep(grown, before, by);
  const lostOf = (routes: PlacedFlows['routes']) =>
    [...routes.keys()].filter((f) => routes[f] === undefined && before[f] !== undefined);
  const anew = lostOf(kept.routes).length === 0 ? kept : placeFlows(grown, by);
  const result = lostOf(anew.routes).length < lostOf(kept.routes).length ? anew : kept;
  const moved = [...before.keys()].filter((f) => {
    const [old, now] = [before[f], result.routes[f]];
    return old !== undefined && now !== undefined && !(same(old.links, now.links) && same(old.at, now.at));
  });
  return { ...result, moved, lost: lostOf(result.routes) };
}

function keep(problem: EnergyProblem, before: PlacedFlows['routes'], policy: EnergyPolicy): PlacedFlows {
  const { flows } = problem;
  const state = new NetworkState(problem);
  const routes = before.map((): Route | undefined => undefined);
  const order = [...flows.keys()].toSorted((a, b) => flows[b]!.mbps - flows[a]!.mbps || a - b);
  const waiting = order.filter((f) => {
    const route = before[f];
    if (route === undefined || !state.fits(flows[f]!, route)) return true;
    state.add(flows[f]!, route);
    routes[f] = route;
    return false;
  });
  for (const f of waiting) routes[f] = place(state, flows[f]!, policy);
  return { policy, routes, on: state.on, watts: wattsOf(problem, state.on) };
}

const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((each, i) => each === b[i]);
