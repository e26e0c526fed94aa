import type { Chain } from './chain.ts';
import { refuseBlock } from './constraints.ts';
import type { HostPool } from './host-pool.ts';
import { keepsRules } from './rules.ts';
import type { Step } from './step.ts';
import { Walk } from './walk.ts';

/**
 * What others do, under the same hard rules. `gather` keeps a chain on one host, the one that it leaves least room on (best
 * fit); `distribute` gives each function a host of its own, the least loaded one; `nova-spread` and `nova-stack` weigh
 * free processors and memory as the scheduler of OpenStack Nova does by default, and with negative multipliers.
 */
export type Baseline = 'gather' | 'distribute' | 'nova-spread' | 'nova-stack' | 'first-fit' | 'random' | 'least-added';

export function stepBaseline(pool: HostPool, chain: Chain, baseline: Baseline, random: () => number): Step {
  if (baseline === 'gather') return gather(pool, chain);
  const walk = new Walk(pool, chain);
  const choose = choosers(random)[baseline];
  while (walk.hostOf.length < chain.functions.length) if (!walk.next(choose)) return nowhere;
  const { blocks } = walk;
  const cost = blocks.reduce((sum, block) => sum + pool.marginalCost(chain, block), 0);
  return { blocks, cost, bound: Number.NEGATIVE_INFINITY, optimal: false };
}

const nowhere: Step = { cost: Number.POSITIVE_INFINITY, bound: Number.NEGATIVE_INFINITY, optimal: false };

function gather(pool: HostPool, chain: Chain): Step {
  const functions = Array.from(chain.functions.keys());
  let best: { readonly host: number; readonly left: number; readonly cost: number } | undefined;
  const guest = chain.functions.reduce((sum, each) => sum + each.guest, 0);
  for (let host = 0; host < pool.problem.hosts.length; host += 1) {
    // Most hosts of a full pool are told apart by this alone.
    if (guest > pool.headroom(host)) continue;
    const block = { host, functions };
    if (refuseBlock(pool, chain, host, functions) !== undefined || !keepsRules(pool, chain, [block])) continue;
    const cost = pool.marginalCost(chain, block);
    const left = pool.headroom(host) - guest - cost;
    if (best === undefined || left < best.left) best = { host, left, cost };
  }
  if (best === undefined) return nowhere;
  return { blocks: [{ host: best.host, functions }], cost: best.cost, bound: Number.NEGATIVE_INFINITY, optimal: false };
}

type Chooser = (walk: Walk, hosts: readonly number[]) => number | undefined;

const choosers = (random: () => number): Readonly<Record<Exclude<Baseline, 'gather'>, Chooser>> => ({
  distribute: (walk, hosts) => {
    const others = hosts.filter((host) => !walk.uses(host));
    return largest(others, (host) => walk.free(host));
  },
  'nova-spread': (walk, hosts) => largest(hosts, novaWeight(walk, hosts, 1)),
  'nova-stack': (walk, hosts) => largest(hosts, novaWeight(walk, hosts, -1)),
  'first-fit': (_walk, hosts) => hosts[0],
  random: (_walk, hosts) => hosts[Math.min(hosts.length - 1, Math.floor(random() * hosts.length))],
  'least-added': (walk, hosts) => largest(hosts, (host) => -walk.added(host)),
});

/**
 * The sum of weights, each brought to between 0 and 1 over the hosts that passed the filters, times its multiplier: those for
 * processors and memory, which are alike by default. Nova counts what its guests were promised, not what switches take.
 */
function novaWeight(walk: Walk, hosts: readonly number[], multiplier: 1 | -1): (host: number) => number {
  const cpu = normalised(hosts, (host) => walk.freeForGuests(host));
  const memory = normalised(hosts, (host) => walk.freeMemoryMiB(host));
  return (host) => multiplier * (cpu(host) + memory(host));
}

function normalised(hosts: readonly number[], value: (host: number) => number): (host: number) => number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const host of hosts) {
    least = Math.min(least, value(host));
    most = Math.max(most, value(host));
  }
  // Where memory is not counted it is infinite, and alike everywhere.
  return (host) => (most === least || !Number.isFinite(most) ? 0 : (value(host) - least) / (most - least));
}

/** The first of those with the largest value. */
function largest(hosts: readonly number[], value: (host: number) => number): number | undefined {
  let best: number | undefined;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (const host of hosts) {
    const here = value(host);
    if (best !== undefined && here <= bestValue) continue;
    best = host;
    bestValue = here;
  }
  return best;
}
