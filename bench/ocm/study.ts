import { type ChainPolicy, chainPolicies, HostPool, offlineBound, seeded, stepBy } from '@superfluidity/place/ocm';
import { problemOf, someChains, type SwitchName, SWITCHES } from './workload.ts';

export const SIZES = [10, 50, 200, 1_000] as const;
const LENGTHS = [2, 8] as const;
/** Chains asked for, for each host: more than any policy finds room for. */
const OFFERED: Readonly<Record<SwitchName, number>> = { 'kernel-ovs': 3, 'dpdk-ovs': 6 };

export interface StudyRow {
  readonly switch: SwitchName;
  readonly hosts: number;
  readonly policy: ChainPolicy;
  readonly seeds: number;
  readonly offered: number;
  /** Means over the seeds, and half of the 95 % interval. */
  readonly accepted: Spread;
  /** Chains placed before the first that was refused. */
  readonly untilRefusal: Spread;
  /** Switching of the chains that both this policy and OCM placed, by this policy, divided by what it is by OCM. */
  readonly ratio: Spread;
  /** The same for the first chains alone, a fifth as many as there are hosts: most hosts are idle. */
  readonly ratioLight: Spread;
}

interface Spread {
  readonly mean: number;
  readonly half: number;
}

interface Run {
  readonly costs: readonly (number | undefined)[];
  readonly accepted: number;
  readonly untilRefusal: number;
}

export function study(seedsOf: (hosts: number) => number, note: (line: string) => void): readonly StudyRow[] {
  return SWITCHES.flatMap((name) =>
    SIZES.flatMap((hosts) => {
      const seeds = seedsOf(hosts);
      note(`${name}, ${hosts} hosts, ${seeds} seeds`);
      const offered = OFFERED[name] * hosts;
      const runs = Array.from({ length: seeds }, (_, seed) => {
        const problem = problemOf(hosts, someChains(offered, LENGTHS, seeded(1_000 * hosts + seed)), name);
        return new Map(chainPolicies.map((policy) => [policy, runPolicy(problem, policy, seed)]));
      });
      return chainPolicies.map((policy): StudyRow => {
        const each = <T>(of: (run: Run, ocm: Run) => T) => runs.map((run) => of(run.get(policy)!, run.get('ocm')!));
        return {
          switch: name,
          hosts,
          policy,
          seeds,
          offered,
          accepted: spread(each((run) => run.accepted)),
          untilRefusal: spread(each((run) => run.untilRefusal)),
          ratio: spread(each((run, ocm) => ratio(run, ocm, offered))),
          ratioLight: spread(each((run, ocm) => ratio(run, ocm, hosts / 5))),
        };
      });
    }),
  );
}

function runPolicy(problem: ReturnType<typeof problemOf>, policy: ChainPolicy, seed: number): Run {
  const pool = new HostPool(problem);
  const random = seeded(seed);
  const costs = problem.chains.map((chain) => {
    const { blocks, cost } = stepBy(pool, chain, policy, random);
    if (blocks === undefined) return undefined;
    pool.commit(chain, blocks);
    return cost;
  });
  const first = costs.indexOf(undefined);
  const accepted = costs.filter((cost) => cost !== undefined).length;
  return { costs, accepted, untilRefusal: first < 0 ? costs.length : first };
}

function ratio(run: Run, ocm: Run, until: number): number {
  let [own, theirs] = [0, 0];
  for (let i = 0; i < until; i += 1) {
    const [a, b] = [run.costs[i], ocm.costs[i]];
    if (a === undefined || b === undefined) continue;
    own += a;
    theirs += b;
  }
  return theirs === 0 ? Number.NaN : own / theirs;
}

function spread(values: readonly number[]): Spread {
  const known = values.filter(Number.isFinite);
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length - 1);
  const short = (value: number) => Math.round(value * 1_000) / 1_000;
  return { mean: short(mean), half: short(1.96 * Math.sqrt(variance / known.length)) };
}

export interface OnlineGap {
  readonly switch: SwitchName;
  readonly seed: number;
  readonly chains: number;
  readonly onlineCores: number;
  /** Undefined: HiGHS did not find it in time. */
  readonly boundCores?: number;
}

/** What deciding online costs, on cases that are small enough for the bound of the whole sequence. */
export async function onlineGaps(seeds: number, limitMs: number): Promise<readonly OnlineGap[]> {
  const gaps: OnlineGap[] = [];
  for (const name of SWITCHES) {
    for (let seed = 0; seed < seeds; seed += 1) {
      const problem = problemOf(4, someChains(5, [2, 4], seeded(seed + 1)), name);
      const pool = new HostPool(problem);
      const placed = problem.chains.filter((chain) => {
        const { blocks } = stepBy(pool, chain, 'ocm', () => 0);
        if (blocks !== undefined) pool.commit(chain, blocks);
        return blocks !== undefined;
      });
      const { cost } = await offlineBound(problem, placed, limitMs);
      const onlineCores = pool.totalSwitching / 1e6;
      gaps.push({
        switch: name,
        seed,
        chains: placed.length,
        onlineCores,
        ...(cost === undefined ? {} : { boundCores: cost / 1e6 }),
      });
    }
  }
  return gaps;
}
