import { canonicalJson } from '@superfluidity/core';
import { at, beyond, groupAt, isGroup, listOf, over, textOf, without, type Group } from './groups.ts';
import { size } from './scalars.ts';
import type { Node } from './topology.ts';
import { isNormative, own, requirementNames } from './types.ts';

/**
 * Nodes as they are written, without and with what the model says of them; and what a node that was read says beyond
 * that, which is carried.
 */
export const types = {
  vdu: 'tosca.nodes.nfv.Vdu.Compute',
  port: 'tosca.nodes.nfv.VduCp',
  link: 'tosca.nodes.nfv.NsVirtualLink',
  image: 'tosca.artifacts.nfv.SwImage',
} as const;

const IMAGE = /SwImage|Deployment\.Image/;

/** Required of a VDU: its name, and of its image what is known (SOL001 v4.4.1, clause 6.4.2: checksum and size need not be). */
export function usualUnit(name: string, image: string | undefined, artifact: string): Group {
  const artifacts = image === undefined ? {} : { artifacts: { [artifact]: imageData(image) } };
  return { properties: { name }, ...artifacts };
}

function imageData(image: string): Group {
  const reference = image.slice(image.indexOf(':') + 1);
  const [ending] = /(?<=\.)(?:qcow2|raw|iso|vmdk|vdi|vhd|vhdx|aki|ami|ari)$/.exec(reference) ?? [];
  return {
    type: types.image,
    properties: {
      name: image.startsWith('name:') ? reference : reference.slice(reference.lastIndexOf('/') + 1),
      version: '1.0',
      container_format: 'bare',
      ...(ending === undefined ? {} : { disk_format: ending }),
    },
  };
}

/** Where it is: in the package, at an address, or known by that name. */
export function imageFile(image: string): string {
  if (image.startsWith('disk:')) return `../${image.slice('disk:'.length)}`;
  return image.includes('://') ? image.slice('name:'.length) : image;
}

/** Of a unit that says how much memory it has. */
export const usualMemory: Group = {
  capabilities: { virtual_compute: { properties: { virtual_memory: { numa_enabled: false } } } },
};

export function imageArtifact(node: Group): string {
  const artifacts = Object.entries(groupAt(node, 'artifacts'));
  return artifacts.find(([, one]) => IMAGE.test(textOf(at(one, 'type')) ?? ''))?.[0] ?? 'sw_image';
}

export function leftOfUnit(node: Node, name: string, image: string | undefined): Group {
  const artifact = imageArtifact(node.value);
  const properties = ['description', 'vduNestedDesc', 'vduNestedDescType', 'vduParent', 'vduParentMandatory'];
  const profile = ['min_number_of_instances', 'max_number_of_instances'];
  const host = ['num_cpus', 'mem_size', 'disk_size'];
  const compute = ['capabilities', 'virtual_compute', 'properties'];
  const storage = listOf(at(node.value, ...compute, 'virtual_local_storage'));
  const isPlain = storage.length === 1 && Object.keys(isGroup(storage[0]) ? storage[0] : {}).length === 1;
  const rest = without(
    node.value,
    ...typeOf(node),
    ['metadata', 'name'],
    ...properties.map((one) => ['properties', one]),
    ...profile.map((one) => ['properties', 'vdu_profile', one]),
    [...compute, 'virtual_cpu', 'num_virtual_cpu'],
    [...compute, 'virtual_memory', 'virtual_mem_size'],
    ...(isPlain ? [[...compute, 'virtual_local_storage']] : []),
    ...host.map((one) => ['capabilities', 'host', 'properties', one]),
    ['artifacts', artifact, 'file'],
    ...(image?.startsWith('name:') === true ? [['properties', 'image']] : []),
  );
  const usual = over(usualUnit(name, image, artifact), usualMemory);
  const { type: _type, ...others } = groupAt(usual, 'artifacts', artifact);
  // A name of its own is kept by the type that stands under it.
  const left = beyond(rest, artifact === 'sw_image' ? usual : { ...usual, artifacts: { [artifact]: others } });
  return withoutRequirements(left, ['dependency']);
}

export function protocolOf(address: string): readonly Group[] {
  const l3 = { floating_ip_activated: false, fixed_ip_address: [address] };
  return [{ associated_layer_protocol: 'ipv4', address_data: [{ address_type: 'ip_address', l3_address_data: l3 }] }];
}

export const usualPort: Group = { properties: { layer_protocols: ['ipv4'] } };

export function leftOfPort(node: Node, address: string | undefined): Group {
  const rest = without(
    node.value,
    ...typeOf(node),
    ['metadata', 'name'],
    ...['bitrate_requirement', 'internalIfRef', 'order'].map((one) => ['properties', one]),
  );
  const left = beyond(
    rest,
    address === undefined
      ? usualPort
      : { properties: { ...groupAt(usualPort, 'properties'), protocol: protocolOf(address) } },
  );
  return withoutRequirements(left, [...requirementNames.binding, ...requirementNames.link]);
}

/** Of a link as a whole nothing is required; what is asked for stands at chains. */
export const usualLink: Group = {
  properties: {
    connectivity_type: { layer_protocols: ['ipv4'] },
    vl_profile: { max_bitrate_requirements: { root: 0 }, min_bitrate_requirements: { root: 0 } },
  },
};

/** Protocols of a virtual link: what its addresses are, and the MTU. */
export function protocolsOf(prefix: string | undefined, mtu: number | undefined): readonly Group[] {
  return [
    ...(prefix === undefined
      ? []
      : [{ associated_layer_protocol: 'ipv4', l3_protocol_data: { ip_version: 'ipv4', cidr: prefix } }]),
    ...(mtu === undefined ? [] : [{ associated_layer_protocol: 'ethernet', l2_protocol_data: { mtu } }]),
  ];
}

/** What a list of protocols says of a link. */
export function saidBy(protocols: unknown): { readonly prefix?: string; readonly mtu?: number } {
  const data = listOf(protocols);
  const prefix = data.map((one) => textOf(at(one, 'l3_protocol_data', 'cidr'))).find((cidr) => cidr?.includes('.'));
  const mtu = data.map((one) => at(one, 'l2_protocol_data', 'mtu')).find((value) => typeof value === 'number');
  return { ...(prefix === undefined ? {} : { prefix }), ...(mtu === undefined ? {} : { mtu }) };
}

/** `protocols` are those of the node with their functions resolved. */
export function leftOfLink(node: Node, protocols: unknown, prefix: string | undefined, mtu: number | undefined): Group {
  const usual = protocols === undefined || canonicalJson(protocols) === canonicalJson(protocolsOf(prefix, mtu));
  const path = ['properties', 'vl_profile', 'virtual_link_protocol_data'];
  const rest = without(node.value, ...typeOf(node), ['metadata', 'name'], ['properties', 'cidr'], path);
  const kept = usual ? {} : { properties: { vl_profile: { virtual_link_protocol_data: protocols } } };
  return over(beyond(rest, usualLink), kept);
}

/** Types of a specification are written as those of SOL001; those of the author are kept. */
function typeOf({ type }: Node): string[][] {
  return isNormative(type) || type === own.vdu || type === own.port ? [['type']] : [];
}

function withoutRequirements(node: Group, names: readonly string[]): Group {
  const { requirements, ...rest } = node;
  const left = listOf(requirements).filter((one) => !names.some((name) => isGroup(one) && name in one));
  return left.length === 0 ? rest : { ...rest, requirements: left };
}

export const localStorage = (mib: number): readonly Group[] => [{ size_of_storage: size(mib) }];
