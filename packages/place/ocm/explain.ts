import { placeLimits } from '../errors.ts';
import { stepBaseline } from './baselines.ts';
import { type Block, type Chain, latencyBetween, runsOf } from './chain.ts';
import { showCores } from './constraints.ts';
import type { HostPool } from './host-pool.ts';
import type { ChainPolicy } from './choices.ts';
import type { Step } from './step.ts';
import { Walk } from './walk.ts';

/** A reason for which hosts were not taken, and how many of them. */
export interface GroupedRefusal {
  /** The first of them. */
  readonly host: string;
  readonly hosts: number;
  readonly kind: string;
  readonly reason: string;
}

/** `0.47 cores of switching in 2 blocks; gathered on one host it would be 1.2, distributed 0.9`. The pool is as before the step. */
export function explainStep(pool: HostPool, chain: Chain, policy: ChainPolicy, step: Step): string {
  const count = step.blocks!.length;
  const shape = count === 1 ? 'on one host' : `in ${count} blocks`;
  const own = `${showCores(step.cost)} cores of switching ${shape}`;
  if (chain.functions.length === 1) return own;
  const others = (['gather', 'distribute'] as const)
    .filter((other) => other !== policy)
    .map((other) => {
      const { cost } = stepBaseline(pool, chain, other, () => 0);
      const name = other === 'gather' ? 'gathered' : 'distributed';
      return Number.isFinite(cost) ? `${name} it would be ${showCores(cost)}` : `${name} it fits nowhere`;
    });
  const known = step.optimal
    ? []
    : Number.isFinite(step.bound)
      ? [`at least ${showCores(step.bound)} for any placement`]
      : [];
  return [own, ...others, ...known].join('; ');
}

export function explainBlock(pool: HostPool, chain: Chain, block: Block): string {
  const { host, functions } = block;
  const carried = pool.runs[host]!;
  const runs = runsOf(functions).length;
  const added = pool.marginalCost(chain, block);
  const guest = functions.reduce((sum, each) => sum + chain.functions[each]!.guest, 0);
  const { capacity } = pool.problem.hosts[host]!;
  return [
    carried === 0 ? 'its switch was idle' : `its switch carries ${carried} sub-chains already`,
    `${showCores(added)} cores more for ${runs === 1 ? 'this one' : `these ${runs}`}`,
    `${showCores(pool.headroom(host) - guest - added)} of ${showCores(capacity)} cores left free`,
  ].join(', ');
}

interface Refused {
  readonly reason: string;
  /** It fits, but not within the bounds of the chain. */
  readonly byChain: boolean;
  readonly refusals: readonly GroupedRefusal[];
}

/** Why there is no place for a chain: a function for which every host is refused, or what its functions lack together. */
export function explainRefusal(pool: HostPool, chain: Chain, policy: ChainPolicy, step: Step): Refused {
  const { hosts, sites } = pool.problem;
  const shortest = shortestWay(pool, chain);
  if (shortest > chain.latencyMaxMs) {
    const { from, to } = chain;
    const ends = [from, to].flatMap((site) => (site === undefined ? [] : [sites[site]!.name])).join(' to ');
    return {
      reason: `${ends} takes ${shortest} ms by the shortest way, allowed are ${chain.latencyMaxMs}`,
      byChain: true,
      refusals: [],
    };
  }
  // A function that no host takes, even as the first of the chain.
  for (const [i, { name }] of chain.functions.entries()) {
    const alone = new Walk(pool, {
      ...chain,
      latencyMaxMs: Number.POSITIVE_INFINITY,
      functions: [chain.functions[i]!],
    });
    const refusals = grouped(pool, alone);
    if (refusals.reduce((sum, each) => sum + each.hosts, 0) < hosts.length) continue;
    return { reason: `no host takes ${name}: ${inWords(refusals)}`, byChain: false, refusals };
  }
  const walk = new Walk(pool, chain);
  while (walk.hostOf.length < chain.functions.length) {
    const placed = walk.next((_, fitting) => fitting.reduce((a, b) => (walk.added(b) < walk.added(a) ? b : a)));
    if (placed) continue;
    const refusals = grouped(pool, walk);
    const before = walk.hostOf.map((host, i) => `${chain.functions[i]!.name} on ${hosts[host]!.name}`).join(', ');
    const byChain = refusals.some(({ kind }) => kind === 'latency' || kind === 'affinity');
    const { name } = chain.functions[walk.hostOf.length]!;
    return { reason: `with ${before}, no host takes ${name}: ${inWords(refusals)}`, byChain, refusals };
  }
  const rule: Partial<Record<ChainPolicy, string>> = {
    gather: 'no host takes all of its functions',
    distribute: 'there are not as many hosts with room as it has functions',
    'ocm-relaxed': 'its functions find places only where it comes back to a host',
  };
  const found = step.optimal ? 'its functions fit one by one, but not together' : 'none was found';
  return { reason: rule[policy] ?? found, byChain: policy === 'ocm-relaxed', refusals: [] };
}

function shortestWay({ problem }: HostPool, { from, to }: Chain): number {
  return from === undefined || to === undefined ? 0 : latencyBetween(problem, from, to);
}

/** What keeps the next function from each host: hosts with the same reason in one row. */
function grouped(pool: HostPool, walk: Walk): readonly GroupedRefusal[] {
  const rows = new Map<string, { host: string; hosts: number; kind: string; reason: string }>();
  pool.problem.hosts.forEach(({ name }, host) => {
    const refused = walk.refuse(host);
    if (refused === undefined) return;
    const row = rows.get(refused.reason);
    if (row !== undefined) row.hosts += 1;
    else if (rows.size < placeLimits.refusals) rows.set(refused.reason, { host: name, hosts: 1, ...refused });
    else rows.set('', { host: name, hosts: (rows.get('')?.hosts ?? 0) + 1, kind: 'capacity', reason: 'and others' });
  });
  return [...rows.values()].toSorted((a, b) => b.hosts - a.hosts);
}

function inWords(refusals: readonly GroupedRefusal[]): string {
  const shown = refusals
    .slice(0, 3)
    .map(({ host, hosts, reason }) => `${hosts === 1 ? host : `${host} and ${hosts - 1} more`}: ${reason}`);
  return shown.join('; ') + (refusals.length > 3 ? `; and ${refusals.length - 3} more reasons` : '');
}
