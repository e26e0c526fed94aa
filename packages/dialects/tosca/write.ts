import { splitPortReference, type Chain, type Network, type Policy, type Service } from '@superfluidity/model';
import { Document } from 'yaml';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { nameIn } from '../names.ts';
import { carriedOf, groupAt, listOf, over, type Group } from './groups.ts';
import { affinityPolicies } from './policies.ts';
import { BOUNDS } from './read-paths.ts';
import { own } from './types.ts';
import { types } from './usual.ts';
import { link } from './written-link.ts';
import { REQUIREMENTS, usualNs, usualVnf } from './usual-whole.ts';
import { flavourOf, isFunctionsOnly, vnfd, vnfType } from './write-vnfd.ts';
import { called, isInside, NodeNames, writtenFunction, type WrittenFunction } from './written-nodes.ts';

/**
 * A service as the files of a CSAR (SOL001, and TOSCA Simple 1.3 clause 6.2): an NSD, a VNFD for each function, the types
 * that are not SOL001's, and a nested descriptor for each unit that is more than a disk image in a virtual machine.
 */
export function writeTosca(service: Service, lose: Lose): readonly DescriptorFile[] {
  const functions = service.block.children.map((fn) => writtenFunction(fn, service));
  const vnfds = functions.map((one, i) =>
    vnfd(one, service, (path, message) => lose(join(`functions[${i}]`, path), message)),
  );
  const entry = `nsd_${service.block.name}.yaml`;
  const imports = vnfds.map(({ path }) => path);
  return [
    { path: 'TOSCA-Metadata/TOSCA.meta', bytes: new TextEncoder().encode(meta(entry)) },
    textFile(entry, nsd(service, functions, imports, lose)),
    ...vnfds.map(({ path, document }) => textFile(path, document)),
    ...(vnfds.some(({ ownTypes }) => ownTypes) || (service.policies ?? []).length > 0
      ? [textFile(own.file, ownTypes())]
      : []),
    ...vnfds.flatMap(({ nested }) => nested.map(({ path, document }) => textFile(path, document))),
  ];
}

const join = (at: string, path: string) => (path === '' ? at : `${at}.${path}`);

function textFile(path: string, value: object): DescriptorFile {
  const document = new Document(value, { aliasDuplicateObjects: false });
  return { path: `Definitions/${path}`, bytes: new TextEncoder().encode(document.toString({ lineWidth: 0 })) };
}

function meta(entry: string): string {
  const lines = {
    'TOSCA-Meta-File-Version': '1.0',
    'Created-by': 'superfluidity',
    'CSAR-Version': '1.1',
    'Entry-Definitions': `Definitions/${entry}`,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

function nsd(service: Service, functions: readonly WrittenFunction[], imports: readonly string[], lose: Lose): Group {
  const { block, version, networks, chains, policies: claims = [] } = service;
  const carried = carriedOf(block);
  const names = new NodeNames();
  const type = `superfluidity.ns.${block.name}`;
  const wantedOf = functions.map(({ fn }) => nameIn('tosca', fn));
  const nodeOf = new Map(functions.map(({ fn }, i) => [fn.name, names.claim(wantedOf[i]!, 'vnf')]));
  for (const name of Object.keys(groupAt(carried, 'node_templates'))) names.claim(name, 'node');
  const outer = networks.filter((network) => !block.children.some((fn) => isInside(network, fn, service)));
  const linkOf = new Map(outer.map((network) => [network.name, names.claim(wantedLink(network), 'vl')]));
  const through = new Map<string, string>();
  const paths = chains.map((chain, i) =>
    forwarding(chain, { functions, nodeOf, linkOf, names, through }, (message) => lose(`chains[${i}]`, message)),
  );
  const self = names.claim('ns', 'ns');
  const id = carriedOf(block)['id'];
  const title = typeof id === 'string' ? id : block.name;
  const policies = [
    ...paths.flatMap((path) => path.policies),
    ...block.children.flatMap((fn) =>
      affinityPolicies(sayableAffinity(fn, nodeOf), nodeOf.get(fn.name)!, true, (path) => nodeOf.get(path)!),
    ),
    ...claims.map(claimPolicy),
    ...(listOf(carried['policies']) as readonly Group[]),
  ];
  const nodes: Group = {
    [self]: called(
      over(over(usualNs(block.name), groupAt(carried, 'self')), { type, properties: { name: title, version } }),
      self,
      self,
    ),
    ...Object.fromEntries(
      functions.map((written, i) => {
        const { fn, outside } = written;
        const node = nodeOf.get(fn.name)!;
        const requirements = [...outside].map(([name, { network }]) => ({
          [name]: through.get(`${fn.name} ${name}`) ?? linkOf.get(network),
        }));
        const asked = requirementsOf(fn, nodeOf);
        const derived = {
          type: vnfType(fn),
          properties: { flavour_id: flavourOf(fn, version) },
          ...(asked === undefined ? {} : { metadata: { [REQUIREMENTS]: asked } }),
          ...(requirements.length === 0 ? {} : { requirements }),
        };
        const whole = over(over(usualVnf(fn.name, version), groupAt(carriedOf(fn), 'node')), derived);
        return [node, called(whole, node, wantedOf[i]!)];
      }),
    ),
    ...Object.fromEntries(
      outer.map((network) => [
        linkOf.get(network.name)!,
        called(link(network, types.link), linkOf.get(network.name)!, wantedLink(network)),
      ]),
    ),
    ...Object.assign({}, ...paths.map((path) => path.nodes)),
    ...groupAt(carried, 'node_templates'),
  };
  const extra = (name: string) => (Object.keys(groupAt(carried, name)).length === 0 ? {} : { [name]: carried[name] });
  return {
    tosca_definitions_version: 'tosca_simple_yaml_1_3',
    ...(block.description === undefined ? {} : { description: block.description }),
    ...extra('metadata'),
    imports: [
      'etsi_nfv_sol001_common_types.yaml',
      'etsi_nfv_sol001_vnfd_types.yaml',
      'etsi_nfv_sol001_nsd_types.yaml',
      ...imports,
      ...(claims.length === 0 ? [] : [own.file]),
    ],
    node_types: { ...groupAt(carried, 'types'), [type]: { derived_from: 'tosca.nodes.nfv.NS' } },
    topology_template: {
      ...extra('inputs'),
      substitution_mappings: { node_type: type },
      node_templates: nodes,
      ...extra('groups'),
      ...(policies.length === 0 ? {} : { policies }),
      ...extra('outputs'),
    },
  };
}

/** Policies of TOSCA are named in one list: what they are called in the service is a property. */
function claimPolicy({ name, description, claim: { kind, ...said } }: Policy, number: number): Group {
  const described = description === undefined ? {} : { description };
  return { [`data_plane_${number}`]: { type: own.policy, ...described, properties: { name, [kind]: said } } };
}

/** A link that was inside of a function and no longer is goes by the name that it has here. */
function wantedLink(network: Network): string {
  return carriedOf(network)['of'] === undefined ? nameIn('tosca', network) : network.name;
}

/** Rules between whole functions are policies; others stay with the requirements. */
function sayableAffinity({ requirements }: Service['block'], nodeOf: ReadonlyMap<string, string>) {
  const rules = requirements.affinity ?? [];
  return rules.every((rule) => isFunctionsOnly(rule, nodeOf)) ? rules : [];
}

function requirementsOf(fn: Service['block'], nodeOf: ReadonlyMap<string, string>): string | undefined {
  const { affinity, ...rest } = fn.requirements;
  const left = affinity === undefined || sayableAffinity(fn, nodeOf).length > 0 ? rest : { ...rest, affinity };
  return Object.keys(left).length === 0 ? undefined : JSON.stringify(left);
}

interface Around {
  readonly functions: readonly WrittenFunction[];
  readonly nodeOf: ReadonlyMap<string, string>;
  readonly linkOf: ReadonlyMap<string, string>;
  readonly names: NodeNames;
  /** Nodes that stand between functions and links, by function and requirement. */
  readonly through: Map<string, string>;
}

/** A path leads over a position for each hop to the node between the function and its link (clauses 7.8.6 to 7.8.9). */
function forwarding(
  chain: Chain,
  { functions, nodeOf, linkOf, names, through }: Around,
  lose: (message: string) => void,
): { readonly nodes: Group; readonly policies: readonly Group[] } {
  const hops = [chain.from, ...chain.through, chain.to].map((reference) => {
    const { path, port: name } = splitPortReference(reference);
    const [fn, ...rest] = path.split('/');
    const written = functions.find((one) => one.fn.name === fn);
    const unit = written?.units.find((one) => one.unit.name === rest.join('/'));
    const port = unit?.ports.find((one) => one.port.name === name) ?? (name === undefined ? unit?.ports[0] : undefined);
    return written === undefined || port === undefined ? undefined : { fn: written.fn.name, port, written };
  });
  const missing = hops.indexOf(undefined);
  if (missing !== -1) {
    lose(`chain '${chain.name}': hop ${missing + 1} has no connection point`);
    return { nodes: {}, policies: [] };
  }
  const { address, protocol, ports } = chain;
  const bounds = Object.fromEntries(
    (['latencyMaxMs', 'latencyDesiredMs', 'bandwidthMbps', 'lossMax'] as const).flatMap((name) =>
      chain[name] === undefined ? [] : [[name, chain[name]]],
    ),
  );
  const wanted = nameIn('tosca', chain);
  const path = names.claim(wanted, 'nfp');
  const nodes: [string, Group][] = [];
  const profileOf = ({ fn, port, written }: NonNullable<(typeof hops)[number]>) => {
    const { requirement = '' } = port;
    const network = linkOf.get(written.outside.get(requirement)?.network ?? '');
    // What is on no link of the service is named by its connection point.
    if (network === undefined) return { node: nodeOf.get(fn), capability: port.node };
    const key = `${fn} ${requirement}`;
    const known = through.get(key);
    if (known !== undefined) return known;
    const node = names.claim(`${nodeOf.get(fn)!}_${requirement}`, 'forwarding');
    through.set(key, node);
    nodes.push([node, { type: 'tosca.nodes.nfv.Forwarding', requirements: [{ virtual_link: network }] }]);
    return node;
  };
  const positions = hops.map((hop, i) => {
    const element = names.claim(`${path}_element_${i}`, 'element');
    const position = names.claim(`${path}_position_${i}`, 'position');
    const profile = profileOf(hop!);
    nodes.push(
      [element, { type: 'tosca.nodes.nfv.NfpPositionElement', requirements: [{ profile_element: profile }] }],
      [
        position,
        {
          type: 'tosca.nodes.nfv.NfpPosition',
          properties: { forwarding_behaviour: 'all' },
          requirements: [{ element }],
        },
      ],
    );
    return { nfp_position: position };
  });
  const whole = over(groupAt(carriedOf(chain), 'node'), {
    type: 'tosca.nodes.nfv.NFP',
    ...(Object.keys(bounds).length === 0 ? {} : { metadata: { [BOUNDS]: JSON.stringify(bounds) } }),
    requirements: positions,
  });
  const rules = (ports.length === 0 ? [undefined] : ports).map((port, i) => ({
    [`${path}_rule_${i}`]: {
      type: 'tosca.policies.nfv.NfpRule',
      properties: {
        ether_type: 'ipv4',
        ...(protocol === 'any' ? {} : { protocol }),
        ...(port === undefined ? {} : { destination_port_range: [port, port] }),
        destination_ip_address_prefix: `${address}/32`,
      },
      targets: [path],
    },
  }));
  return { nodes: { [path]: called(whole, path, wanted), ...Object.fromEntries(nodes) }, policies: rules };
}

/** Nested VDUs of D6.1 annex B2 as types derived from those of SOL001, and the policies of a service. */
function ownTypes(): Group {
  const text = { type: 'string', required: false };
  const places = { type: 'list', entry_schema: { type: 'string' } };
  const claims = {
    Ends: { from: places, to: places, packet: text },
    Through: { chain: { type: 'string' }, waypoints: places },
    Check: { from: places, packet: text, formula: { type: 'string' } },
  };
  const claim = (name: keyof typeof claims) => ({ type: `superfluidity.datatypes.${name}`, required: false });
  return {
    tosca_definitions_version: 'tosca_simple_yaml_1_3',
    imports: ['etsi_nfv_sol001_common_types.yaml', 'etsi_nfv_sol001_vnfd_types.yaml'],
    node_types: {
      [own.vdu]: {
        derived_from: types.vdu,
        properties: {
          vduNestedDesc: text,
          vduNestedDescType: text,
          vduParent: text,
          vduParentMandatory: { type: 'boolean', required: false },
        },
      },
      [own.port]: { derived_from: types.port, properties: { internalIfRef: text } },
    },
    data_types: Object.fromEntries(
      Object.entries(claims).map(([name, properties]) => [
        `superfluidity.datatypes.${name}`,
        { derived_from: 'tosca.datatypes.Root', properties },
      ]),
    ),
    policy_types: {
      [own.policy]: {
        derived_from: 'tosca.policies.Root',
        properties: {
          name: { type: 'string' },
          reach: claim('Ends'),
          deny: claim('Ends'),
          through: claim('Through'),
          check: claim('Check'),
        },
      },
    },
  };
}
