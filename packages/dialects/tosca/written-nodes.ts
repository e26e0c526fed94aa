import type { Block, Network, Port, Service } from '@superfluidity/model';
import { FreeNames } from '../free-names.ts';
import { nameIn } from '../names.ts';
import { carriedOf, groupAt, textOf, type Group } from './groups.ts';

/** Names of nodes: unique in a topology, and as near to what a thing is called as can be. */
export class NodeNames {
  readonly #free = new FreeNames();

  /** `web`, `web_vdu`, `web_vdu2` and so on. */
  claim(name: string, kind: string): string {
    const stem = `${name}_${kind}`;
    return this.#free.claim(name, (n) => (n === 2 ? stem : `${stem}${n - 1}`), stem);
  }
}

/** With its type first. What a node is called goes into its metadata where it could not be its name. */
export function called(node: Group, name: string, wanted: string): Group {
  const { type, ...rest } = node;
  const typed = { type, ...rest };
  return name === wanted ? typed : { ...typed, metadata: { ...groupAt(node, 'metadata'), name: wanted } };
}

export interface WrittenPort {
  readonly port: Port;
  readonly node: string;
  readonly wanted: string;
  /** What the function as a whole calls the requirement of this port; absent where it leads to nothing outside. */
  readonly requirement?: string;
  /** The link inside that it leads to. */
  readonly link?: string;
}

export interface WrittenUnit {
  readonly unit: Block;
  readonly node: string;
  readonly wanted: string;
  readonly ports: readonly WrittenPort[];
}

/** How the things of a function are called in its VNFD, which the NSD has to know. */
export interface WrittenFunction {
  readonly fn: Block;
  readonly names: NodeNames;
  readonly units: readonly WrittenUnit[];
  /** Networks that only this function is on, and that were links inside of it. */
  readonly links: readonly { readonly network: Network; readonly node: string; readonly wanted: string }[];
  /** Names of the requirements, the node and its requirement behind each, and the network to which it leads. */
  readonly outside: ReadonlyMap<
    string,
    { readonly node: string; readonly requirement: string; readonly network: string }
  >;
}

export function writtenFunction(fn: Block, service: Service): WrittenFunction {
  const names = new NodeNames();
  const units = fn.children.map((unit) => ({ unit, wanted: nameIn('tosca', unit) }));
  const unitNodes = units.map(({ wanted }) => names.claim(wanted, 'vdu'));
  const links = service.networks
    .filter((network) => isInside(network, fn, service))
    .map((network) => ({
      network,
      wanted: nameIn('tosca', network),
      node: names.claim(nameIn('tosca', network), 'vl'),
    }));
  const carried = carriedOf(fn);
  for (const name of Object.keys(groupAt(carried, 'node_templates'))) names.claim(name, 'node');
  const outside = new Map<string, { node: string; requirement: string; network: string }>();
  const written = units.map(({ unit, wanted }, i): WrittenUnit => {
    const ports = unit.ports.map((port) => portOf(port, unitNodes[i]!, names, links, carried, outside));
    return { unit, node: unitNodes[i]!, wanted, ports };
  });
  return { fn, names, units: written, links, outside };
}

function portOf(
  port: Port,
  unit: string,
  names: NodeNames,
  links: WrittenFunction['links'],
  carried: Group,
  outside: Map<string, { node: string; requirement: string; network: string }>,
): WrittenPort {
  const id = textOf(carriedOf(port)['id']);
  const node = names.claim(id ?? `${unit}_${port.name}`, 'cp');
  const wanted = node === (id ?? `${unit}_${port.name}`) ? node : (id ?? port.name);
  const { network } = port;
  if (network === undefined) return { port, node, wanted };
  const inside = links.find((link) => link.network.name === network);
  if (inside !== undefined) return { port, node, wanted, link: inside.node };
  // By way of the link and the external connection point that it was read from.
  const link = textOf(carriedOf(port)['link']);
  if (link !== undefined && Object.hasOwn(groupAt(carried, 'node_templates'), link)) {
    for (const [external, requirement] of Object.entries(groupAt(carried, 'exposed'))) {
      const leads = JSON.stringify(groupAt(carried, 'node_templates', external)['requirements'] ?? []).includes(
        JSON.stringify(link),
      );
      const known = outside.get(String(requirement));
      if (!leads || (known !== undefined && known.network !== network)) continue;
      outside.set(String(requirement), { node: external, requirement: 'external_virtual_link', network });
      return { port, node, wanted, link, requirement: String(requirement) };
    }
  }
  const said = textOf(carriedOf(port)['requirement']) ?? node;
  const requirement = outside.has(said) ? node : said;
  outside.set(requirement, { node, requirement: 'virtual_link', network });
  return { port, node, wanted, requirement };
}

export function isInside(network: Network, fn: Block, service: Service): boolean {
  if (carriedOf(network)['of'] !== fn.name) return false;
  const others = service.block.children.filter((one) => one !== fn);
  return !others.some(({ children }) =>
    children.some(({ ports }) => ports.some((port) => port.network === network.name)),
  );
}
