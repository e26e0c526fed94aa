import type { Overlay, ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../../view-model/drawn-sites.ts';
import { formatBandwidth, formatMs, formatPercent } from '../../view-model/format.ts';
import { buildTopology, type Topology, type TopologyMember } from '../../view-model/topology.ts';
import { GraphMaker, linkId, portId } from './graph-maker.ts';
import { IDLE_LIMITS, idleNodes } from './idle-hosts.ts';
import { overlayNodes } from './overlay-nodes.ts';

/**
 * Sites and a service as three layers: machines, what is laid over them (SRv6), and what is run. Each node says what it
 * stands on, in its own layer and in those below; all that is highlighted follows from that.
 */
export const layers = ['virtual', 'overlay', 'physical'] as const;
export type Layer = (typeof layers)[number];

export const layerNames: Readonly<Record<Layer, string>> = {
  virtual: 'Virtual',
  overlay: 'Overlay',
  physical: 'Physical',
};

/** From the top of the picture to its bottom. */
export const rows = {
  chain: 'virtual',
  balancer: 'virtual',
  unit: 'virtual',
  port: 'virtual',
  network: 'virtual',
  segment: 'overlay',
  part: 'overlay',
  router: 'overlay',
  tunnel: 'overlay',
  host: 'physical',
  rack: 'physical',
  site: 'physical',
  link: 'physical',
} as const satisfies Record<string, Layer>;
export type NodeKind = keyof typeof rows;

export interface LayerNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  /** A few words under the name. */
  readonly about: string;
  /** In whose column it stands; absent: between them. */
  readonly site?: string;
  /** Fraction of it that is used, where it has one. */
  readonly load?: number;
  /** Of chains: index into the palette. */
  readonly colour?: number;
  readonly ill?: boolean;
}

export interface LayerEdge {
  readonly from: string;
  readonly to: string;
  readonly colour?: number;
}

export interface LayerGraph {
  readonly nodes: readonly LayerNode[];
  /** What is drawn as lines. */
  readonly edges: readonly LayerEdge[];
  /** What a node needs: the machine under a unit, the link under a tunnel. */
  readonly standsOn: ReadonlyMap<string, ReadonlySet<string>>;
  /** What belongs to a node when that is chosen, and to nothing else through it: the two sites of a link. */
  readonly touches: ReadonlyMap<string, ReadonlySet<string>>;
  /** Units, or hosts, were too many to draw one by one. */
  readonly counted: boolean;
}

export interface LayerInput {
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly service?: ServiceDetail | undefined;
  readonly overlay?: Overlay | undefined;
}

export const layerOf = (node: Pick<LayerNode, 'kind'>): Layer => rows[node.kind];

export function layerGraph(input: LayerInput): LayerGraph {
  const { sites, links, service, overlay } = input;
  const topology = buildTopology({ sites, links, service });
  const maker = new GraphMaker();
  physicalNodes(maker, sites, topology);
  if (service !== undefined) virtualNodes(maker, service, topology);
  overlayNodes(maker, { service, overlay, links: topology.links, sites, memberOf: membersOf(topology, service) });
  if (service !== undefined) virtualEdges(maker, service, topology);
  return {
    nodes: maker.nodes,
    edges: maker.edges,
    standsOn: maker.standsOn,
    touches: maker.touches,
    counted: topology.collapsed || sites.some(({ hosts }) => hosts.length > IDLE_LIMITS.hosts),
  };
}

const membersIn = (topology: Topology) =>
  topology.sites.flatMap((site) =>
    site.hosts.flatMap((host) => host.members.map((member) => ({ site, host, member }))),
  );

/** The node of a unit: itself, or the group in which it is counted. */
function membersOf(
  topology: Topology,
  service: ServiceDetail | undefined,
): (unit: string, site: string) => string | undefined {
  const byUnit = new Map<string, string>();
  for (const { site, member } of membersIn(topology)) {
    if (member.kind !== 'unit') continue;
    byUnit.set(member.id, member.id);
    byUnit.set(`${member.role}@${site.name}`, member.id);
  }
  for (const chain of topology.chains) for (const hop of chain.hops) byUnit.set(`${hop.role}@${hop.site}`, hop.member);
  for (const { id, path, index, site } of service?.units ?? []) {
    const member = byUnit.get(`${path}#${index}@${site}`);
    if (member !== undefined && !byUnit.has(id)) byUnit.set(id, member);
  }
  return (unit, site) => byUnit.get(unit) ?? byUnit.get(`${unit}@${site}`);
}

function physicalNodes(maker: GraphMaker, sites: readonly DrawnSite[], topology: Topology): void {
  const details = new Map(sites.map((site) => [site.name, site]));
  for (const site of topology.sites) {
    const { kind, healthy, name } = site;
    const id = `site:${name}`;
    maker.add({
      id,
      kind: 'site',
      name,
      about: healthy ? `${kind}, ${site.tier ?? 'no tier'}` : 'does not answer',
      site: name,
      ill: !healthy,
    });
    const busy = site.hosts.filter(({ members }) => members.length > 0);
    for (const host of busy) {
      const closed = host.schedulable ? '' : ', takes no units';
      maker.add({
        id: `host:${host.id}`,
        kind: 'host',
        name: host.label,
        about: `CPU ${formatPercent(host.cpu)}${closed}`,
        site: name,
        load: host.cpu,
        ill: !host.schedulable,
      });
      maker.stand(`host:${host.id}`, id);
    }
    // Of a site whose busy hosts are counted, that one group says how many others there are.
    if (busy.some((host) => host.id.endsWith('/*'))) continue;
    const drawn = new Set(busy.map(({ label }) => label));
    const idle = (details.get(name)?.hosts ?? []).filter((host) => !drawn.has(host.name));
    idleNodes(maker, name, idle, Math.max(0, IDLE_LIMITS.hosts - drawn.size));
  }
  for (const link of topology.links) {
    const id = linkId(link);
    maker.add({
      id,
      kind: 'link',
      name: `${link.a} – ${link.b}`,
      about: `${formatMs(link.latencyMs)}, ${formatBandwidth(link.bandwidthMbps)}`,
    });
    maker.touch(id, `site:${link.a}`);
    maker.touch(id, `site:${link.b}`);
  }
}

function virtualNodes(maker: GraphMaker, service: ServiceDetail, topology: Topology): void {
  for (const [i, chain] of service.chains.entries())
    maker.add({
      id: `chain:${chain.name}`,
      kind: 'chain',
      name: chain.name,
      about: `${chain.address}, ${formatMs(chain.latencyMs)}`,
      colour: i,
    });
  for (const { name, address, port } of service.balancers ?? [])
    maker.add({ id: `balancer:${name}`, kind: 'balancer', name, about: `${address}:${port}` });
  for (const { site, host, member } of membersIn(topology)) {
    maker.add({ id: `unit:${member.id}`, kind: 'unit', ...wordsOf(member), site: site.name });
    maker.stand(`unit:${member.id}`, `host:${host.id}`);
    if (member.kind !== 'unit') continue;
    for (const port of member.unit.ports) {
      const id = portId(member.id, port.name);
      maker.add({ id, kind: 'port', name: port.name, about: port.address, site: site.name });
      maker.stand(`unit:${member.id}`, id);
    }
  }
  for (const { name, prefix } of service.networks ?? [])
    maker.add({ id: `network:${name}`, kind: 'network', name, about: prefix });
}

function wordsOf(member: TopologyMember): { readonly name: string; readonly about: string; readonly ill: boolean } {
  if (member.kind === 'unit') {
    const { state } = member.unit;
    return { name: member.role, about: state, ill: state === 'failed' || state === 'stopped' };
  }
  const failed = (member.byState.failed ?? 0) + (member.byState.stopped ?? 0);
  return {
    name: `${member.path} ×${member.count}`,
    about: failed === 0 ? 'counted' : `${failed} do not run`,
    ill: failed > 0,
  };
}

/** After the overlay: a port stands on the part of its network at its site. */
function virtualEdges(maker: GraphMaker, service: ServiceDetail, topology: Topology): void {
  for (const { site, member } of membersIn(topology)) {
    if (member.kind === 'count') {
      for (const { name, ports } of service.networks ?? [])
        if (ports.some(({ unit }) => unit === member.path)) standOnNetwork(maker, `unit:${member.id}`, name, site.name);
      continue;
    }
    for (const port of member.unit.ports)
      standOnNetwork(maker, portId(member.id, port.name), networkName(port.network, service.name), site.name);
  }
  for (const { name, unit } of service.balancers ?? [])
    for (const { member } of membersIn(topology))
      if (pathOf(member) === unit) maker.stand(`balancer:${name}`, `unit:${member.id}`);
  for (const chain of topology.chains) {
    for (const [i, hop] of chain.hops.entries()) {
      maker.stand(`chain:${chain.name}`, `unit:${hop.member}`, 'unseen');
      const next = chain.hops[i + 1];
      if (next !== undefined)
        maker.edges.push({ from: `unit:${hop.member}`, to: `unit:${next.member}`, colour: chain.colour });
    }
    const first = chain.hops[0];
    if (first !== undefined)
      maker.edges.push({ from: `chain:${chain.name}`, to: `unit:${first.member}`, colour: chain.colour });
  }
}

function standOnNetwork(maker: GraphMaker, upper: string, network: string, site: string): void {
  const part = `part:${network}@${site}`;
  maker.stand(upper, `network:${network}`, 'line');
  maker.stand(upper, part, 'unseen');
}

/** Sites call a network by its service too. */
export const networkName = (network: string, service: string): string =>
  network.startsWith(`${service}.`) ? network.slice(service.length + 1) : network;

const pathOf = (member: TopologyMember): string => (member.kind === 'unit' ? member.unit.path : member.path);
