import type { ServiceDetail, SiteLink, Unit } from '@superfluidity/api';
import type { DrawnSite } from './drawn-sites.ts';
import { share } from './format.ts';
import { type Lot, lotsOf } from './unit-groups.ts';

/**
 * What the topology shows, as data: sites hold hosts, hosts hold members. A member is one unit, or, where there are too
 * many to draw, all units of one path on that host. Nothing in here knows about React, pixels or time.
 */
export interface Topology {
  readonly sites: readonly TopologySite[];
  readonly links: readonly SiteLink[];
  readonly chains: readonly TopologyChain[];
  readonly unitCount: number;
  readonly collapsed: boolean;
}

export interface TopologySite {
  readonly name: string;
  readonly tier: string | undefined;
  readonly kind: string;
  readonly healthy: boolean;
  readonly hosts: readonly TopologyHost[];
  readonly hostCount: number;
  readonly unitCount: number;
}

export interface TopologyHost {
  /** `site/host`: unique over all sites. */
  readonly id: string;
  readonly label: string;
  readonly site: string;
  /** Fractions of what the host has, 0 to 1. */
  readonly cpu: number;
  readonly memory: number;
  readonly schedulable: boolean;
  readonly members: readonly TopologyMember[];
}

export type UnitState = Unit['state'];
export type Environment = Unit['environment'];

export interface UnitMember {
  readonly kind: 'unit';
  readonly id: string;
  /** `path#index`, the same before and after a move: what an animation follows. */
  readonly role: string;
  readonly unit: Unit;
}

export interface CountMember {
  readonly kind: 'count';
  readonly id: string;
  readonly role: string;
  readonly path: string;
  readonly environment: Environment;
  readonly count: number;
  readonly byState: Readonly<Partial<Record<UnitState, number>>>;
}

export type TopologyMember = UnitMember | CountMember;

export interface TopologyChain {
  readonly name: string;
  readonly address: string;
  readonly latencyMs: number;
  readonly version: number;
  /** Index into the palette of chains. */
  readonly colour: number;
  /** Members in the order in which a packet visits them; repeats that follow each other are one. */
  readonly hops: readonly { readonly member: string; readonly role: string; readonly site: string }[];
}

export const TOPOLOGY_LIMITS = {
  /** Above so many units of the service, the units of one path on one host are drawn as one node with a count. */
  unitsDrawn: 48,
  /** Above so many hosts with units in one site, the site is drawn as a single group of hosts. */
  hostsDrawn: 8,
  /** So many hosts without units are drawn in an otherwise empty site, to show what is there. */
  idleHostsDrawn: 2,
} as const;

export interface TopologyInput {
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly service?: ServiceDetail | undefined;
}

export function buildTopology({ sites, links, service }: TopologyInput): Topology {
  const lots = lotsOf(service);
  const unitCount = countOf(lots);
  const collapsed = unitCount > TOPOLOGY_LIMITS.unitsDrawn;
  const lotsOfSite = Map.groupBy(lots, (lot) => lot.site);
  const rank = rankOfPaths(service);
  const memberOf = new Map<string, string>();

  const drawn = [...sites].sort(bySitePosition).map((site): TopologySite => {
    const here = lotsOfSite.get(site.name) ?? [];
    return {
      name: site.name,
      tier: site.tier,
      kind: site.kind,
      healthy: site.healthy,
      hostCount: site.hostCount,
      unitCount: countOf(here),
      hosts: hostsOf(site, here).map(({ host, lots: onHost }) => {
        const members = collapsed ? countsOn(host.id, onHost, rank) : unitsOn(onHost, rank);
        for (const { member, units } of members) {
          for (const unit of units) {
            memberOf.set(unit.id, member.id);
            memberOf.set(roleAt(unit), member.id);
          }
        }
        return { ...host, members: members.map(({ member }) => member) };
      }),
    };
  });

  return {
    sites: drawn,
    links: links.filter((link) => [link.a, link.b].every((name) => sites.some((site) => site.name === name))),
    chains: chainsOf(service, memberOf),
    unitCount,
    collapsed,
  };
}

/** The sites where a service is, and those that are linked to one of them. */
export function namesAround(
  links: readonly SiteLink[],
  service: ServiceDetail | undefined,
): { readonly own: ReadonlySet<string>; readonly near: ReadonlySet<string> } {
  const own = new Set(lotsOf(service).map(({ site }) => site));
  return { own, near: new Set(links.flatMap(({ a, b }) => (own.has(a) ? [b] : own.has(b) ? [a] : []))) };
}

/** Those of them that are in the picture; all where the service is nowhere. */
export function sitesAround<S extends Pick<DrawnSite, 'name'>>(
  sites: readonly S[],
  links: readonly SiteLink[],
  service: ServiceDetail | undefined,
): readonly S[] {
  const { own, near } = namesAround(links, service);
  return own.size === 0 ? sites : sites.filter(({ name }) => own.has(name) || near.has(name));
}

export const roleOf = (unit: Pick<Unit, 'path' | 'index'>): string => `${unit.path}#${unit.index}`;
/** During a move two units have one role; the site tells which of them a hop means. */
const roleAt = (unit: Pick<Unit, 'path' | 'index' | 'site'>): string => `${roleOf(unit)}@${unit.site}`;
const countId = (hostId: string, path: string): string => `${hostId}/${path}`;

/** Users are left, the core is right; sites of one tier stand in the order of their names. */
const TIER_ORDER = [
  'device',
  'access',
  'far-edge',
  'edge',
  'aggregation',
  'metro',
  'regional',
  undefined,
  'core',
  'cloud',
];

type Positioned = Pick<DrawnSite, 'name' | 'tier'>;

export function bySitePosition(a: Positioned, b: Positioned): number {
  return tierRank(a) - tierRank(b) || a.name.localeCompare(b.name);
}

function tierRank(site: Positioned): number {
  const rank = TIER_ORDER.indexOf(site.tier ?? site.name);
  return rank === -1 ? TIER_ORDER.indexOf(undefined) : rank;
}

type HostLots = { readonly host: Omit<TopologyHost, 'members'>; readonly lots: readonly Lot[] };

function hostsOf(site: DrawnSite, lots: readonly Lot[]): readonly HostLots[] {
  const lotsOfHost = Map.groupBy(lots, (lot) => lot.host);
  if (lotsOfHost.size > TOPOLOGY_LIMITS.hostsDrawn) {
    const host = {
      id: `${site.name}/*`,
      label: `${lotsOfHost.size} of ${site.hostCount} hosts`,
      site: site.name,
      cpu: share(site.used.cpu, site.capacity.cpu),
      memory: share(site.used.memoryMiB, site.capacity.memoryMiB),
      schedulable: true,
    };
    return [{ host, lots }];
  }
  const busy = site.hosts.filter((host) => lotsOfHost.has(host.name));
  const idle = site.hosts.filter((host) => !lotsOfHost.has(host.name));
  const idleDrawn = Math.max(0, TOPOLOGY_LIMITS.idleHostsDrawn - busy.length);
  const shown = new Set([...busy, ...idle.slice(0, idleDrawn)]);
  return site.hosts
    .filter((host) => shown.has(host))
    .map((host) => ({
      host: {
        id: `${site.name}/${host.name}`,
        label: host.name,
        site: site.name,
        cpu: share(host.used.cpu, host.cpu),
        memory: share(host.used.memoryMiB, host.memoryMiB),
        schedulable: host.schedulable,
      },
      lots: lotsOfHost.get(host.name) ?? [],
    }));
}

interface Drawn {
  readonly member: TopologyMember;
  /** That it stands for, as far as they are known one by one. */
  readonly units: readonly Unit[];
}

type Rank = ReadonlyMap<string, number>;

/** Each unit by itself, in the order in which they are drawn. */
function unitsOn(lots: readonly Lot[], rank: Rank): readonly Drawn[] {
  return lots
    .flatMap(({ units }) => units)
    .sort((a, b) => byRank(rank)(a, b) || a.index - b.index)
    .map((unit) => ({ member: memberOfUnit(unit), units: [unit] }));
}

/** The units of each path as one, but for those that are alone. */
function countsOn(hostId: string, lots: readonly Lot[], rank: Rank): readonly Drawn[] {
  const ofPath = Map.groupBy(lots.toSorted(byRank(rank)), ({ path }) => path);
  return [...ofPath].map(([path, same]) => {
    const units = same.flatMap((lot) => lot.units);
    const count = countOf(same);
    if (count === 1 && units[0] !== undefined) return { member: memberOfUnit(units[0]), units };
    const byState: Partial<Record<UnitState, number>> = {};
    for (const lot of same) {
      for (const [state, n] of Object.entries(lot.byState) as [UnitState, number][])
        byState[state] = (byState[state] ?? 0) + n;
    }
    const id = countId(hostId, path);
    const member = { kind: 'count', id, role: id, path, environment: same[0]!.environment, count, byState } as const;
    return { member, units };
  });
}

const byRank = (rank: Rank) => (a: { readonly path: string }, b: { readonly path: string }) => {
  const rankOf = (path: string) => rank.get(path) ?? Number.MAX_SAFE_INTEGER;
  return rankOf(a.path) - rankOf(b.path) || a.path.localeCompare(b.path);
};

const memberOfUnit = (unit: Unit): UnitMember => ({ kind: 'unit', id: unit.id, role: roleOf(unit), unit });

const countOf = (lots: readonly Lot[]): number => lots.reduce((sum, lot) => sum + lot.count, 0);

/** Paths in the order in which the chains visit them, then in the order of the descriptor. */
function rankOfPaths(service: ServiceDetail | undefined): ReadonlyMap<string, number> {
  const pathOfUnit = new Map<string, string>();
  for (const unit of service?.units ?? []) {
    pathOfUnit.set(unit.id, unit.path);
    pathOfUnit.set(roleOf(unit), unit.path);
  }
  const ordered = [
    ...(service?.chains ?? []).flatMap((chain) => chain.hops.map((hop) => pathOfUnit.get(hop.unit))),
    ...(service?.functions ?? []).flatMap((f) => f.units.map((unit) => unit.path)),
  ];
  const rank = new Map<string, number>();
  for (const path of ordered) if (path !== undefined && !rank.has(path)) rank.set(path, rank.size);
  return rank;
}

function chainsOf(service: ServiceDetail | undefined, memberOf: ReadonlyMap<string, string>): readonly TopologyChain[] {
  const roleOfUnit = new Map((service?.units ?? []).map((unit) => [unit.id, roleOf(unit)]));
  return (service?.chains ?? []).map((chain, colour) => {
    const hops = chain.hops.flatMap((hop) => {
      const member = memberOf.get(hop.unit) ?? memberOf.get(`${hop.unit}@${hop.site}`);
      return member === undefined ? [] : [{ member, role: roleOfUnit.get(hop.unit) ?? hop.unit, site: hop.site }];
    });
    return {
      name: chain.name,
      address: chain.address,
      latencyMs: chain.latencyMs,
      version: chain.version,
      colour,
      hops: hops.filter((hop, i) => hop.member !== hops[i - 1]?.member),
    };
  });
}
