import { append } from '@superfluidity/core';
import type { PortId } from '../../network.ts';
import type { CiscoConfig, CiscoInterface } from '../../readers/cisco/config.ts';
import { interfaceKey } from '../../readers/cisco/names.ts';
import { wrong } from '../../readers/cisco/object-groups.ts';
import type { ReadLink } from '../../readers/links.ts';

/** An interface of another box that can be reached without a router in between. */
export interface Neighbour {
  readonly port: PortId;
  readonly addresses: readonly number[];
}

/** Who is at the other ends, by box and key of an interface; and the links that are none between such boxes. */
export interface Segments {
  neighbours(box: string, name: string): readonly Neighbour[];
  readonly links: readonly ReadLink[];
}

type Configs = ReadonlyMap<string, CiscoConfig>;

/** What a port carries with one tag, or without one: a routed interface, or a VLAN of the box. */
interface Carried {
  readonly tag: number | 'none' | 'any';
  readonly node: string;
  /** Key of the interface of the router that is there, if there is one. */
  readonly key: string;
  readonly vlan?: number;
}

/**
 * Interfaces that share a VLAN over any number of switches are one segment, and frames go to the one that has the address of the
 * next hop: so a wire that leads to several routers leads each packet to one of them.
 */
export function segmentsOf(configs: Configs, links: readonly ReadLink[]): Segments {
  const vlans = vlansInUse(configs);
  const parents = new Map<string, string>();
  const left: ReadLink[] = [];
  for (const link of links) {
    const [from, to] = [endOf(link.from, configs), endOf(link.to, configs)];
    if (from === undefined || to === undefined) {
      append(left, expanded(link, from, to, vlans));
      continue;
    }
    const [mine, theirs] = [carried(from, vlans), carried(to, vlans)];
    for (const one of mine) {
      for (const other of theirs) {
        if (one.tag !== other.tag && one.tag !== 'any' && other.tag !== 'any') continue;
        if (one.vlan !== other.vlan && one.tag === 'none' && one.vlan !== undefined && other.vlan !== undefined) {
          throw wrong(
            link.source,
            `frames without a tag are of VLAN ${one.vlan} at ${link.from} and of ${other.vlan} at ${link.to}`,
          );
        }
        parents.set(root(parents, one.node), root(parents, other.node));
      }
    }
  }
  const members = new Map<string, { readonly box: string; readonly neighbour: Neighbour }[]>();
  for (const [box, { interfaces }] of configs) {
    for (const each of interfaces.filter(isRouted)) {
      const segment = root(parents, nodeOf(box, each));
      const addresses = [...each.addresses.map(({ address }) => address), ...each.virtual];
      const neighbour = { port: `${box}:${each.name}:in`, addresses };
      members.set(segment, [...(members.get(segment) ?? []), { box, neighbour }]);
    }
  }
  return {
    links: left,
    neighbours(box, name) {
      const each = configs.get(box)?.interfaces.find((one) => one.name === name);
      if (each === undefined) return [];
      const segment = members.get(root(parents, nodeOf(box, each))) ?? [];
      return segment.flatMap((member) => (member.box === box ? [] : [member.neighbour]));
    },
  };
}

export const isRouted = ({ isUp, addresses }: CiscoInterface): boolean => isUp && addresses.length > 0;

/** `Vlan7` is the interface of a router in VLAN 7 of its own switch. */
function nodeOf(box: string, { name }: CiscoInterface): string {
  const vlan = /^vl(\d+)$/.exec(interfaceKey(name))?.[1];
  return vlan === undefined ? `${box} ${interfaceKey(name)}` : `${box} vlan ${vlan}`;
}

function root(parents: Map<string, string>, node: string): string {
  let at = node;
  for (let up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) at = up;
  if (at !== node) parents.set(node, at);
  return at;
}

function vlansInUse(configs: Configs): ReadonlySet<number> {
  const used = new Set<number>();
  for (const { interfaces } of configs.values()) {
    for (const { name, encapsulation, switchport } of interfaces) {
      const own = /^vl(\d+)$/.exec(interfaceKey(name))?.[1];
      if (own !== undefined) used.add(Number(own));
      if (typeof encapsulation === 'number') used.add(encapsulation);
      if (switchport !== undefined && switchport.mode !== 'trunk') used.add(switchport.access);
    }
  }
  return used;
}

interface End {
  readonly box: string;
  readonly key: string;
  readonly config: CiscoConfig;
}

function endOf(port: PortId, configs: Configs): End | undefined {
  const [box = '', name = ''] = port.split(':');
  const config = configs.get(box);
  return config === undefined ? undefined : { box, key: interfaceKey(name), config };
}

function carried({ box, key, config }: End, vlans: ReadonlySet<number>): readonly Carried[] {
  const named = config.interfaces.find(({ name }) => interfaceKey(name) === key);
  if (/^vl\d+$/.test(key)) return [{ tag: 'any', node: `${box} vlan ${key.slice(2)}`, key }];
  if (named?.isUp === false) return [];
  const channel = named?.channel === undefined ? undefined : interfaceKey(named.channel);
  const port = config.interfaces.find(({ name }) => interfaceKey(name) === (channel ?? key)) ?? named;
  const base = channel ?? key;
  const { switchport } = port ?? {};
  if (switchport !== undefined && switchport.mode === 'trunk') {
    const { native, allowed } = switchport;
    return [...vlans]
      .filter((vlan) => allowed.has(vlan))
      .map((vlan) => ({ tag: vlan === native ? 'none' : vlan, node: `${box} vlan ${vlan}`, key: `vl${vlan}`, vlan }));
  }
  if (switchport !== undefined) {
    const { access: vlan } = switchport;
    return [{ tag: 'none', node: `${box} vlan ${vlan}`, key: `vl${vlan}`, vlan }];
  }
  if (/\.\d+$/.test(base)) return [{ tag: 'any', node: `${box} ${base}`, key: base }];
  const inside = config.interfaces.filter(({ name, isUp }) => isUp && interfaceKey(name).startsWith(`${base}.`));
  return [
    { tag: 'none', node: `${box} ${base}`, key: base },
    ...inside.flatMap(({ name, encapsulation }): readonly Carried[] => {
      if (encapsulation === undefined) return [];
      const own = interfaceKey(name);
      return [{ tag: encapsulation === 'native' ? 'none' : encapsulation, node: `${box} ${own}`, key: own }];
    }),
  ];
}

/** A link to a box of another kind begins or ends at each routed interface that the port carries. */
function expanded(
  link: ReadLink,
  from: End | undefined,
  to: End | undefined,
  vlans: ReadonlySet<number>,
): readonly ReadLink[] {
  const names = (end: End | undefined, written: PortId): readonly PortId[] => {
    if (end === undefined) return [written];
    const keys = new Set(carried(end, vlans).map(({ key }) => key));
    return end.config.interfaces
      .filter((each) => isRouted(each) && keys.has(interfaceKey(each.name)))
      .map(({ name }) => `${end.box}:${name}`);
  };
  return names(from, link.from).flatMap((begin) =>
    names(to, link.to).map((end) => ({ ...link, from: begin, to: end })),
  );
}
