import { placeLimits } from '../errors.ts';
import type { RefusalKind } from '../request.ts';
import type { Chain, FunctionFacts, Partner } from './chain.ts';
import type { HostPool } from './host-pool.ts';
import { MICRO_CORES } from './switch-model.ts';

export interface Reason {
  readonly kind: RefusalKind;
  readonly reason: string;
}

type Obstacle = 'location' | 'pinned' | 'accelerators' | Partner;

/** What keeps a function from a host, whatever the rest of its chain does. */
function obstacle(
  pool: HostPool,
  { sites, hosts, accelerators, partners }: FunctionFacts,
  host: number,
): Obstacle | undefined {
  const facts = pool.problem.hosts[host]!;
  if (sites?.has(facts.site) === false) return 'location';
  if (hosts?.has(host) === false) return 'pinned';
  if (accelerators.some((each) => !facts.accelerators.includes(each))) return 'accelerators';
  return partners.find(({ kind, scope, chain, function: other }) => {
    const there = pool.placed[chain]?.[other];
    if (there === undefined) return false;
    const alike = scope === 'host' ? there === host : pool.problem.hosts[there]!.site === facts.site;
    return alike !== (kind === 'together');
  });
}

/** Whether there is anything but room that decides where the function runs. */
export function isBound({ sites, hosts, accelerators, partners }: FunctionFacts): boolean {
  return sites !== undefined || hosts !== undefined || accelerators.length > 0 || partners.length > 0;
}

/** Whether nothing but the room that is left can keep the function from the host. */
export function mayRun(pool: HostPool, wanted: FunctionFacts, host: number): boolean {
  return obstacle(pool, wanted, host) === undefined;
}

export function refuseFunction(pool: HostPool, wanted: FunctionFacts, host: number): Reason | undefined {
  const { chains, hosts, sites } = pool.problem;
  const against = obstacle(pool, wanted, host);
  const { name } = wanted;
  switch (against) {
    case undefined:
      return undefined;
    case 'location':
      return { kind: against, reason: `${name} may not run in ${sites[hosts[host]!.site]!.name}` };
    case 'pinned':
      return { kind: against, reason: `${name} may run on other hosts only` };
    case 'accelerators': {
      const lacking = wanted.accelerators.filter((each) => !hosts[host]!.accelerators.includes(each));
      return { kind: against, reason: `it has no ${lacking.join(', ')}` };
    }
    default: {
      const { kind, scope, chain, function: other } = against;
      const named = `${chains[chain]!.name}/${chains[chain]!.functions[other]!.name}`;
      const where = kind === 'apart' ? `on another ${scope} than` : `on the same ${scope} as`;
      return { kind: 'affinity', reason: `${name} must be ${where} ${named}` };
    }
  }
}

/** What speaks against a block of functions on a host: its size, and who may be with whom. */
export function refuseBlock(
  pool: HostPool,
  chain: Chain,
  host: number,
  functions: readonly number[],
): Reason | undefined {
  for (const each of functions) {
    const refused = refuseFunction(pool, chain.functions[each]!, host);
    if (refused !== undefined) return refused;
  }
  const apart = functions.find((each) =>
    chain.functions[each]!.partners.some(
      (partner) => partner.chain === chain.number && partner.kind === 'apart' && functions.includes(partner.function),
    ),
  );
  if (apart !== undefined) {
    return { kind: 'affinity', reason: `${chain.functions[apart]!.name} must be apart from others of ${chain.name}` };
  }
  const works = pool.worksOf(chain, host, functions);
  if (pool.runs[host]! + works.length > placeLimits.subChains) {
    return { kind: 'capacity', reason: `its switch carries ${pool.runs[host]} sub-chains` };
  }
  const memory = functions.reduce((sum, each) => sum + chain.functions[each]!.memoryMiB, 0);
  if (memory > pool.memoryFree[host]!) {
    return { kind: 'capacity', reason: `${pool.memoryFree[host]} MiB of memory are free, needed are ${memory}` };
  }
  const guest = functions.reduce((sum, each) => sum + chain.functions[each]!.guest, 0);
  const switching = pool.costWith(host, works) - pool.switching[host]!;
  if (guest + switching > pool.headroom(host)) {
    const free = `${showCores(Math.max(0, pool.headroom(host)))} of ${showCores(pool.problem.hosts[host]!.capacity)} cores are free`;
    const needed = `${showCores(guest)}, and ${showCores(switching)} more for switching`;
    return { kind: 'capacity', reason: `${free}, needed are ${needed}` };
  }
  return undefined;
}

/** From millionths of a core. */
export function showCores(micro: number): string {
  return String(Math.round(micro / (MICRO_CORES / 1_000)) / 1_000);
}
