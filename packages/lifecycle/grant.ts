import type { Assignment, ChainLatency } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { refuseQuality, refuseUnsupported } from '@superfluidity/fabric';
import {
  type Block,
  type Service,
  type Site,
  type SitePath,
  splitPortReference,
  unitsBehind,
  unitsOf,
} from '@superfluidity/model';
import { chainsToPlace, place, type PlacedUnit, type UnitToPlace, unitToPlace } from '@superfluidity/place';
import { type StandIns, standingIn, withStandIn } from './stand-ins.ts';
import { unitName } from './actions.ts';
import type { Placed } from './transition.ts';

/** A unit that shall be there: where it is and stays, or where it has to go, or wherever is best. */
export interface WantedUnit {
  readonly path: string;
  readonly index: number;
  readonly at?: { readonly site: string; readonly host: string };
  readonly to?: { readonly site: string; readonly host?: string };
}

export interface GrantRequest {
  readonly service: Service;
  readonly wanted: readonly WantedUnit[];
  readonly sites: readonly Site[];
  readonly paths: readonly SitePath[];
  readonly standIns?: StandIns;
}

/** The answer to a request for room (the grant of ETSI GS NFV-SOL 003, clause 9): every unit's place, with reasons. */
export interface Grant {
  readonly placed: readonly Placed[];
  readonly assignments: readonly Assignment[];
  readonly chains: readonly ChainLatency[];
  /** Of the units that were placed now. */
  readonly costPerHour: number;
}

/** Rejects with the refusal of placement, which says for every site and host why not. */
export function grantPlacement(request: GrantRequest, doing: string): Grant {
  const { service, wanted, paths, standIns } = request;
  const named = wanted.flatMap(({ at, to }) => [at?.site, to?.site].filter((site) => site !== undefined));
  const sites = standingIn(request.sites, standIns, named, doing);
  const known = new Map(unitsOf(service).map((each) => [each.path, each]));
  const kept: readonly PlacedUnit[] = wanted.flatMap(({ path, index, at }) =>
    at === undefined ? [] : [{ path, index, ...at }],
  );
  const units = wanted.flatMap(({ path, index, at, to }): readonly UnitToPlace[] => {
    if (at !== undefined) return [];
    const unit = unitToPlace(known.get(path)!, index);
    const requirements = withStandIn(unit.requirements, standIns);
    return [{ ...unit, requirements, ...(to === undefined ? {} : { pinned: to }) }];
  });
  const result = place({ units, placed: kept, sites, paths, chains: chainsToPlace(service) });
  if (!result.ok) {
    const { code, message, data } = result.error;
    throw new SuperfluidityError(code as `SF-${string}`, {
      doing,
      reason: message,
      ...(data === undefined ? {} : { data }),
    });
  }
  const placed: readonly Placed[] = [...kept, ...result.assignments];
  refuseBalancers(request, placed, doing);
  refuseQualities(request, placed, known, doing);
  refuseCrossings(request, placed, doing);
  return {
    placed: placed.map(({ path, index, site, host }) => ({ path, index, site, host })),
    assignments: result.assignments.map(({ path, index, site, host, reason }) => ({
      unit: unitName({ path, index }),
      path,
      index,
      environment: known.get(path)!.unit.execution!.environment,
      site,
      host,
      reasons: [reason],
    })),
    chains: service.chains.map((chain) => ({
      chain: chain.name,
      latencyMs: result.chains.find((each) => each.name === chain.name)?.latencyMs ?? 0,
      sites: [chain.from, ...chain.through, chain.to].flatMap((reference) => siteOf(placed, reference) ?? []),
      ...(chain.latencyDesiredMs === undefined ? {} : { desiredMs: chain.latencyDesiredMs }),
      ...(chain.latencyMaxMs === undefined ? {} : { maxMs: chain.latencyMaxMs }),
    })),
    costPerHour: result.assignments.reduce((sum, { cost }) => sum + cost, 0),
  };
}

/** Where a site says what it can do for the packets of ports. */
function refuseQualities(
  { sites }: GrantRequest,
  placed: readonly Placed[],
  units: ReadonlyMap<string, { readonly unit: Block }>,
  doing: string,
): void {
  for (const { name, qualities } of sites) {
    if (qualities === undefined) continue;
    for (const { path } of placed.filter(({ site }) => site === name)) {
      for (const port of units.get(path)!.unit.ports)
        refuseQuality(`${doing}: port ${path}.${port.name} at site ${name}`, port, qualities);
    }
  }
}

/** Where a site says which hops of a chain over several sites it can have. */
function refuseCrossings({ service, sites }: GrantRequest, placed: readonly Placed[], doing: string): void {
  const ends = new Set(sites.flatMap(({ name, crossing }) => (crossing === 'ends' ? [name] : [])));
  for (const chain of service.chains) {
    const hops = [chain.from, ...chain.through, chain.to].map((reference) => siteOf(placed, reference));
    if (new Set(hops).size < 2) continue;
    for (const site of new Set(hops)) {
      if (site === undefined || !ends.has(site)) continue;
      const here = hops.flatMap((each, at) => (each === site ? [at] : []));
      if (here.length === 1 && (here[0] === 0 || here[0] === hops.length - 1)) continue;
      throw new SuperfluidityError('SF-FABRIC-CHAIN', {
        doing,
        reason: `chain ${chain.name} is over several sites, of which ${site} can have the first or the last hop alone, and has ${here.length === 1 ? 'one between them' : `${here.length} of them`}`,
        hint: `Place its functions elsewhere, or all of the chain at ${site}: \`requirements: {location: {tier: ...}}\` says where.`,
        data: { chain: chain.name, site },
      });
    }
  }
}

/** Of the first instance of the unit that a chain names. */
function siteOf(placed: readonly Placed[], reference: string): string | undefined {
  return placed
    .filter((each) => each.path === splitPortReference(reference).path)
    .toSorted((a, b) => a.index - b.index)[0]?.site;
}

/** Where a site says what kinds of balancers it has. */
function refuseBalancers({ service, sites }: GrantRequest, placed: readonly Placed[], doing: string): void {
  for (const balancer of service.balancers) {
    const behind = unitsBehind(balancer);
    for (const { name, balancing } of sites) {
      if (balancing === undefined || !placed.some(({ path, site }) => site === name && behind.includes(path))) continue;
      refuseUnsupported(`${doing}: balancer ${balancer.name} at site ${name}`, balancer, balancing);
    }
  }
}
