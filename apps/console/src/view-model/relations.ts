import type { Topology, TopologyMember } from './topology.ts';

/** What belongs to one unit of a topology: the chains through it, and the members that share a chain or a network with it. */
export interface Relations {
  readonly chains: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

const networksOf = (member: TopologyMember): readonly string[] =>
  member.kind === 'unit' ? member.unit.ports.map(({ network }) => network) : [];

/** Nothing where no unit is chosen, or one that is gone: then nothing stands out. */
export function relationsOf(topology: Topology, chosen: string | undefined): Relations | undefined {
  const all = topology.sites.flatMap(({ hosts }) => hosts.flatMap(({ members }) => members));
  const member = all.find(({ id }) => id === chosen);
  if (member === undefined) return undefined;
  const through = topology.chains.filter(({ hops }) => hops.some((hop) => hop.member === chosen));
  const networks = new Set(networksOf(member));
  return {
    chains: new Set(through.map(({ name }) => name)),
    members: new Set([
      member.id,
      ...through.flatMap(({ hops }) => hops.map((hop) => hop.member)),
      ...all.filter((one) => networksOf(one).some((network) => networks.has(network))).map(({ id }) => id),
    ]),
  };
}
