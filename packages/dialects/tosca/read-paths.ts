import { append } from '@superfluidity/core';
import { z } from 'zod';
import type { NativeService } from '../native/schema.ts';
import { renamed, type Names } from '../names.ts';
import { readShape } from '../shape.ts';
import { readYamlText, shorten } from '../yaml-text.ts';
import { at, carry, groupAt, listOf, textOf, without, type Group } from './groups.ts';
import { nodeName } from './read-function.ts';
import type { Report } from './templates.ts';
import type { Node, Policy, Topology } from './topology.ts';

type NativeChain = NonNullable<NativeService['chains']>[number];

const RULE = 'tosca.policies.nfv.NfpRule';
/** What NfpRule has no words for: metadata of the NFP, as JSON. */
export const BOUNDS = 'bounds';
const boundsShape = z.strictObject({
  latencyMaxMs: z.number().exactOptional(),
  latencyDesiredMs: z.number().exactOptional(),
  bandwidthMbps: z.number().exactOptional(),
  lossMax: z.number().exactOptional(),
});

export interface ReadPaths {
  readonly chains: readonly { readonly chain: NativeChain; readonly node: Node }[];
  /** Nodes and policies that were understood. */
  readonly nodes: readonly string[];
  readonly policies: readonly Policy[];
}

/**
 * Forwarding paths with the rule that says where they lead (SOL001, clauses 7.8.6 to 7.8.8 and 7.10.5). A path that leads to
 * no single address is none of ours: its nodes are carried.
 */
export function readPaths(
  topology: Topology,
  names: Names,
  hopOf: (vnf: string, capability: string | undefined) => string | undefined,
  report: Report,
): ReadPaths {
  const chains: { chain: NativeChain; node: Node }[] = [];
  const nodes: string[] = [];
  const policies: Policy[] = [];
  for (const path of topology.of('path')) {
    const rules = topology.policies.filter(
      ({ type, value }) => type === RULE && listOf(value['targets']).includes(path.name),
    );
    const said = ruleOf(rules.map(({ value }) => groupAt(value, 'properties')));
    if (said === undefined) {
      const message = `the rules of '${shorten(path.name)}' name no single destination: the path is carried, and not made`;
      report('SF-DESCRIPTOR-UNSUPPORTED', topology.template, path.path, message, 'warning');
      continue;
    }
    const positions = topology.requirements(path, 'nfp_position').flatMap((one) => topology.target(one) ?? []);
    const elements = positions.flatMap((position) =>
      topology.requirements(position, 'element').flatMap((one) => topology.target(one) ?? []),
    );
    const hops = elements.flatMap((element) => {
      const [first] = topology.requirements(element, 'profile_element');
      if (first !== undefined && topology.nodes.get(first.to)?.kind === 'forwarding') nodes.push(first.to);
      const hop = first === undefined ? undefined : hopOf(first.to, first.capability);
      if (hop === undefined) {
        const message = `'${shorten(element.name)}' leads to no connection point of a function`;
        report('SF-DESCRIPTOR-REFERENCE', topology.template, element.path, message);
      }
      return hop ?? [];
    });
    const [from, ...through] = hops;
    const to = through.pop();
    if (from === undefined || to === undefined) {
      report('SF-DESCRIPTOR-VALUE', topology.template, path.path, 'a path has two positions or more');
      continue;
    }
    const name = names.label(nodeName(path));
    const left = without(path.value, ['type'], ['requirements'], ['metadata', 'name'], ['metadata', BOUNDS]);
    const bounds = boundsOf(path, topology, report);
    const chain = {
      name,
      from,
      through,
      to,
      ...said,
      ...bounds,
      ...carry({ ...renamed(nodeName(path), name), node: left }),
    };
    chains.push({ chain, node: path });
    nodes.push(path.name, ...positions.map((one) => one.name), ...elements.map((one) => one.name));
    append(policies, rules);
  }
  return { chains, nodes, policies };
}

function ruleOf(
  rules: readonly Group[],
): (Pick<NativeChain, 'address'> & { protocol: 'tcp' | 'udp' | 'any'; ports: number[] }) | undefined {
  const addresses = new Set(rules.map((rule) => textOf(rule['destination_ip_address_prefix'])?.replace(/\/32$/, '')));
  const protocols = new Set(rules.map((rule) => textOf(rule['protocol'])?.toLowerCase() ?? 'any'));
  const ranges = rules.flatMap((rule) =>
    rule['destination_port_range'] === undefined ? [] : [listOf(rule['destination_port_range'])],
  );
  const [address] = addresses;
  const [protocol] = protocols;
  if (address === undefined || address.includes('/') || addresses.size > 1 || protocols.size > 1) return undefined;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'any') return undefined;
  const ports = ranges.map(([first, last]) => (first === last ? first : undefined));
  if (ports.some((port) => typeof port !== 'number')) return undefined;
  return { address, protocol, ports: ports as number[] };
}

function boundsOf(path: Node, topology: Topology, report: Report): z.infer<typeof boundsShape> {
  const text = textOf(at(path.value, 'metadata', BOUNDS));
  if (text === undefined) return {};
  const shape = readShape(readYamlText(new TextEncoder().encode(text)), boundsShape, {});
  if ('value' in shape) return shape.value;
  for (const { message } of shape.problems)
    report('SF-DESCRIPTOR-VALUE', topology.template, [...path.path, 'metadata', BOUNDS], message);
  return {};
}
