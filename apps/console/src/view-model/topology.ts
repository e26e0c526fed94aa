import type { ServiceDetail, SiteDetail, SiteLink, Unit } from '@superfluidity/api';

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
  readonly sites: readonly SiteDetail[];
  readonly links: readonly SiteLink[];
  readonly service?: ServiceDetail | undefined;
}

export function buildTopology({ sites, links, service }: TopologyInput): Topology {
  const units = service?.units ?? [];
  const collapsed = units.length > TOPOLOGY_LIMITS.unitsDrawn;
  const unitsOfSite = Map.groupBy(units, (unit) => unit.site);
  const rank = rankOfPaths(service);
  const memberOf = new Map<string, string>();

  const drawn = [...sites].sort(bySitePosition).map((site): TopologySite => {
    const here = unitsOfSite.get(site.name) ?? [];
    return {
      name: site.name,
      tier: site.tier,
      kind: site.kind,
      healthy: site.healthy,
      hostCount: site.hostCount,
      unitCount: here.length,
      hosts: hostsOf(site, here).map(({ host, units: onHost }) => {
        const groups = groupsOf(onHost, collapsed, rank);
        const members = groups.map((group) => memberOfGroup(host.id, group));
        groups.forEach((group, i) => {
          for (const unit of group) {
            memberOf.set(unit.id, members[i]!.id);
            memberOf.set(roleAt(unit), members[i]!.id);
          }
        });
        return { ...host, members };
      }),
    };
  });

  return {
    sites: drawn,
    links: links.filter((link) => [link.a, link.b].every((name) => sites.some((site) => site.name === name))),
    chains: chainsOf(service, memberOf),
    unitCount: units.length,
    collapsed,
  };
}

/** The sites where a service is, and those that are linked to one of them; all where it is nowhere. */
export function sitesAround(
  sites: readonly SiteDetail[],
  links: readonly SiteLink[],
  service: ServiceDetail | undefined,
): readonly SiteDetail[] {
  const own = new Set(service?.units.map((unit) => unit.site));
  if (own.size === 0) return sites;
  const near = links.flatMap(({ a, b }) => (own.has(a) ? [b] : own.has(b) ? [a] : []));
  const shown = new Set([...own, ...near]);
  return sites.filter(({ name }) => shown.has(name));
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

function bySitePosition(a: SiteDetail, b: SiteDetail): number {
  return tierRank(a) - tierRank(b) || a.name.localeCompare(b.name);
}

function tierRank(site: SiteDetail): number {
  const rank = TIER_ORDER.indexOf(site.tier ?? site.name);
  return rank === -1 ? TIER_ORDER.indexOf(undefined) : rank;
}

type HostUnits = { readonly host: Omit<TopologyHost, 'members'>; readonly units: readonly Unit[] };

function hostsOf(site: SiteDetail, units: readonly Unit[]): readonly HostUnits[] {
  const unitsOfHost = Map.groupBy(units, (unit) => unit.host);
  if (unitsOfHost.size > TOPOLOGY_LIMITS.hostsDrawn) {
    const host = {
      id: `${site.name}/*`,
      label: `${unitsOfHost.size} of ${site.hostCount} hosts`,
      site: site.name,
      cpu: fraction(site.used.cpu, site.capacity.cpu),
      memory: fraction(site.used.memoryMiB, site.capacity.memoryMiB),
      schedulable: true,
    };
    return [{ host, units }];
  }
  const busy = site.hosts.filter((host) => unitsOfHost.has(host.name));
  const idle = site.hosts.filter((host) => !unitsOfHost.has(host.name));
  const idleDrawn = Math.max(0, TOPOLOGY_LIMITS.idleHostsDrawn - busy.length);
  const shown = new Set([...busy, ...idle.slice(0, idleDrawn)]);
  return site.hosts
    .filter((host) => shown.has(host))
    .map((host) => ({
      host: {
        id: `${site.name}/${host.name}`,
        label: host.name,
        site: site.name,
        cpu: fraction(host.used.cpu, host.cpu),
        memory: fraction(host.used.memoryMiB, host.memoryMiB),
        schedulable: host.schedulable,
      },
      units: unitsOfHost.get(host.name) ?? [],
    }));
}

/** Units that are drawn as one, in the order in which they are drawn. */
function groupsOf(
  units: readonly Unit[],
  collapsed: boolean,
  rank: ReadonlyMap<string, number>,
): readonly (readonly Unit[])[] {
  const rankOf = (path: string) => rank.get(path) ?? Number.MAX_SAFE_INTEGER;
  const sorted = [...units].sort(
    (a, b) => rankOf(a.path) - rankOf(b.path) || a.path.localeCompare(b.path) || a.index - b.index,
  );
  return collapsed ? [...Map.groupBy(sorted, (unit) => unit.path).values()] : sorted.map((unit) => [unit]);
}

function memberOfGroup(hostId: string, group: readonly Unit[]): TopologyMember {
  const first = group[0]!;
  if (group.length === 1) return { kind: 'unit', id: first.id, role: roleOf(first), unit: first };
  const id = countId(hostId, first.path);
  return {
    kind: 'count',
    id,
    role: id,
    path: first.path,
    environment: first.environment,
    count: group.length,
    byState: countBy(group, (unit) => unit.state),
  };
}

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

const fraction = (used: number, total: number): number => (total > 0 ? Math.min(1, Math.max(0, used / total)) : 0);

function countBy<T, K extends string>(items: readonly T[], key: (item: T) => K): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
