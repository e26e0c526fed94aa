import type { CostModel } from './choices.ts';
import type { SwitchModel } from './switch-model.ts';

/** A request with everything numbered and checked. Processor time is in millionths of a core. */
export interface ChainsProblem {
  readonly hosts: readonly HostFacts[];
  readonly sites: readonly SiteFacts[];
  /** Shortest ways between sites, row by row; infinite where there is none. */
  readonly latencyMs: Float64Array;
  readonly chains: readonly Chain[];
  readonly models: readonly SwitchModel[];
  readonly costModel: CostModel;
}

export interface SiteFacts {
  readonly name: string;
  readonly hostLatencyMs: number;
}

export interface HostFacts {
  /** `site/host`. */
  readonly name: string;
  readonly site: number;
  readonly capacity: number;
  readonly memoryMiB: number;
  readonly accelerators: readonly string[];
  readonly model: number;
}

export interface Chain {
  readonly name: string;
  /** Position in the request. */
  readonly number: number;
  readonly ratePps: number;
  readonly functions: readonly FunctionFacts[];
  readonly from?: number;
  readonly to?: number;
  /** Infinite where there is no bound. */
  readonly latencyMaxMs: number;
}

export interface FunctionFacts {
  readonly name: string;
  readonly guest: number;
  readonly memoryMiB: number;
  readonly accelerators: readonly string[];
  readonly sites?: ReadonlySet<number>;
  readonly hosts?: ReadonlySet<number>;
  readonly partners: readonly Partner[];
}

/** Another function that it has to be with, or away from. Both sides have it, whichever of them states it. */
export interface Partner {
  readonly kind: 'together' | 'apart';
  readonly scope: 'host' | 'site';
  readonly chain: number;
  readonly function: number;
}

/** Functions of one chain on one host, ascending. */
export interface Block {
  readonly host: number;
  readonly functions: readonly number[];
}

/** Lengths of the runs of functions that follow each other: 0 1 3 is a run of two and one of one. */
export function runsOf(functions: readonly number[]): readonly number[] {
  const runs: number[] = [];
  functions.forEach((each, i) => {
    if (i > 0 && functions[i - 1] === each - 1) runs[runs.length - 1]! += 1;
    else runs.push(1);
  });
  return runs;
}

export function latencyBetween({ sites, latencyMs }: ChainsProblem, a: number, b: number): number {
  return latencyMs[a * sites.length + b]!;
}

/** One way along the hosts of the functions, from where packets enter to where they leave. */
export function chainLatencyMs(problem: ChainsProblem, chain: Chain, hostOf: readonly number[]): number {
  const { hosts, sites } = problem;
  const siteOf = hostOf.map((host) => hosts[host]!.site);
  let sum = 0;
  if (chain.from !== undefined) sum += latencyBetween(problem, chain.from, siteOf[0]!);
  for (let i = 1; i < hostOf.length; i += 1) {
    if (siteOf[i] !== siteOf[i - 1]) sum += latencyBetween(problem, siteOf[i - 1]!, siteOf[i]!);
    else if (hostOf[i] !== hostOf[i - 1]) sum += sites[siteOf[i]!]!.hostLatencyMs;
  }
  if (chain.to !== undefined) sum += latencyBetween(problem, siteOf.at(-1)!, chain.to);
  return sum;
}

/** Sums of milliseconds are not exact. */
export const LATENCY_SLACK_MS = 1e-9;
