import {
  splitPortReference,
  type Block,
  type Chain,
  type Network,
  type Policy,
  type Service,
} from '@superfluidity/model';
import { Document } from 'yaml';
import { isAssumed } from '../assumed.ts';
import type { DescriptorFile } from '../files.ts';
import { unitFragmentDocument } from '../native/write.ts';
import { carriedBy, customary } from './carry.ts';
import { AUGMENTATION, formatRule, NESTED_TYPE, REQUIREMENTS_KEY } from './mapping.ts';

/** A service as an ETSI SOL006 package: an NSD, a VNFD for each function, and a nested descriptor for each unit. */
export function writeSol006(service: Service): readonly DescriptorFile[] {
  const functions = service.block.children;
  return [
    textFile('nsd.yaml', { [ROOT]: { nsd: [nsd(service)] } }),
    ...functions.map((fn) => textFile(`vnfd/${fn.name}.yaml`, { [ROOT]: { vnfd: [vnfd(fn, service)] } })),
    ...functions.flatMap((fn) =>
      fn.children.map((unit) => textFile(`vnfd/${nestedPath(fn, unit)}`, unitFragmentDocument(unit, service))),
    ),
  ];
}

function textFile(path: string, value: object): DescriptorFile {
  const document = new Document(value, { aliasDuplicateObjects: false });
  return { path, bytes: new TextEncoder().encode(document.toString({ lineWidth: 0 })) };
}

function nestedPath(fn: Block, unit: Block): string {
  return `nested/${fn.name}-${unit.name}.yaml`;
}

const ROOT = 'etsi-nfv-descriptors:nfv';
const FLAVOUR = 'default';
const IPV4 = 'etsi-nfv-descriptors:ipv4';
const ETHERNET = 'etsi-nfv-descriptors:ethernet';

function nsd({ block, version, networks, chains, policies = [] }: Service) {
  return {
    id: block.name,
    ...customary.nsd(block.name),
    ...carriedBy('nsd', block),
    version,
    ...(block.description === undefined ? {} : { name: block.description }),
    'vnfd-id': block.children.map(({ name }) => name),
    'virtual-link-desc': networks.map(({ name }) => ({
      id: name,
      'connectivity-type': { 'layer-protocol': [IPV4] },
      df: [{ id: FLAVOUR }],
    })),
    ...(policies.length === 0 ? {} : { [`${AUGMENTATION}:policy`]: policies.map(policyOf) }),
    ...(chains.length === 0 ? {} : { vnffgd: chains.map((chain) => forwardingGraph(chain, block)) }),
    df: [
      {
        id: FLAVOUR,
        'vnf-profile': block.children.map((fn) => ({
          id: fn.name,
          'vnfd-id': fn.name,
          'flavour-id': FLAVOUR,
          'instantiation-level': FLAVOUR,
          'min-number-of-instances': 1,
          'max-number-of-instances': 1,
          'virtual-link-connectivity': networksOf(fn).map((network) => ({
            'virtual-link-profile-id': network,
            'constituent-cpd-id': [{ 'constituent-base-element-id': fn.name, 'constituent-cpd-id': network }],
          })),
        })),
        'virtual-link-profile': networks.flatMap(linkProfiles),
        'ns-instantiation-level': [
          {
            id: FLAVOUR,
            'vnf-to-level-mapping': block.children.map(({ name }) => ({
              'vnf-profile-id': name,
              'number-of-instances': 1,
            })),
          },
        ],
        'default-instantiation-level': FLAVOUR,
      },
    ],
  };
}

function policyOf({ name, description, claim: { kind, ...said } }: Policy) {
  return { name, ...(description === undefined ? {} : { description }), [kind]: said };
}

/** A profile has the data of one protocol (IPv4 or Ethernet): a virtual link with an MTU has two profiles. */
function linkProfiles(network: Network) {
  const { name, prefix, mtu } = network;
  const profile = (id: string, protocol: string, data: object) => ({
    id,
    'virtual-link-desc-id': name,
    'flavour-id': FLAVOUR,
    // Of a link as a whole nothing is required; what is asked for stands at chains.
    'max-bitrate-requirements': { root: '0' },
    'min-bitrate-requirements': { root: '0' },
    'virtual-link-protocol-data': { 'associated-layer-protocol': protocol, ...data },
  });
  // What was assumed of a descriptor is not written into it.
  const cidr = isAssumed('sol006', network) ? {} : { cidr: prefix };
  const l3 = profile(name, IPV4, { 'l3-protocol-data': { 'ip-version': 'ipv4', ...cidr } });
  return mtu === undefined ? [l3] : [l3, profile(`${name}-ethernet`, ETHERNET, { 'l2-protocol-data': { mtu } })];
}

function forwardingGraph(chain: Chain, root: Block) {
  const hops = [chain.from, ...chain.through, chain.to].map((reference, i) => {
    const { path, port } = splitPortReference(reference);
    const [fn, name] = path.split('/') as [string, string];
    const unit = root.children.find((block) => block.name === fn)!.children.find((block) => block.name === name)!;
    return { id: `${i}-${fn}-${name}`, fn, cpd: `${name}-${port ?? unit.ports[0]!.name}` };
  });
  return {
    id: chain.name,
    'vnf-profile-id': [...new Set(hops.map(({ fn }) => fn))],
    'nfp-position-element': hops.map(({ id, fn, cpd }) => ({
      id,
      desc: { 'vnf-profile': { 'vnf-profile-id': fn }, vnf: { 'vnfd-id': fn, 'cpd-id': cpd } },
    })),
    nfpd: [
      {
        id: chain.name,
        rule: formatRule(chain),
        'position-desc': hops.map(({ id }) => ({
          id,
          'nfp-position-element-id': [id],
          'forwarding-behaviour': 'etsi-nfv-descriptors:all',
        })),
      },
    ],
  };
}

function networksOf(fn: Block): readonly string[] {
  return [...new Set(fn.children.flatMap(({ ports }) => ports.flatMap(({ network }) => network ?? [])))];
}

function vnfd(fn: Block, service: Service) {
  const networks = networksOf(fn);
  const { requirements } = fn;
  return {
    id: fn.name,
    ...customary.vnfd(fn.name, service.version),
    ...carriedBy('vnfd', fn),
    ...(fn.description === undefined ? {} : { 'product-info-description': fn.description }),
    vdu: fn.children.map((unit) => vdu(fn, unit)),
    'virtual-compute-desc': fn.children.map((unit) => compute(fn, unit)),
    'int-virtual-link-desc': networks.map((network) => ({
      id: network,
      flavour: [{ id: FLAVOUR }],
      'connectivity-type': { 'layer-protocol': [IPV4] },
    })),
    'ext-cpd': [
      ...networks.map((network) => ({
        id: network,
        'int-virtual-link-desc': network,
        'layer-protocol': [IPV4],
      })),
      // One for each port, so that forwarding paths can tell them apart.
      ...fn.children.flatMap((unit) =>
        unit.ports.map((port) => ({
          id: `${unit.name}-${port.name}`,
          'int-cpd': { 'vdu-id': unit.name, cpd: port.name },
          'layer-protocol': [IPV4],
        })),
      ),
    ],
    df: [
      {
        id: FLAVOUR,
        'vdu-profile': fn.children.map(({ name, scale }) => ({
          id: name,
          'min-number-of-instances': scale?.min ?? 1,
          'max-number-of-instances': scale?.max ?? 1,
        })),
        'instantiation-level': [
          {
            id: FLAVOUR,
            'vdu-level': fn.children.map(({ name, scale }) => ({
              'vdu-id': name,
              'number-of-instances': scale?.initial ?? 1,
            })),
          },
        ],
        'default-instantiation-level': FLAVOUR,
      },
    ],
    ...(Object.keys(requirements).length === 0
      ? {}
      : { 'modifiable-attributes': { metadata: [`${REQUIREMENTS_KEY}=${JSON.stringify(requirements)}`] } }),
  };
}

function vdu(fn: Block, unit: Block) {
  const nested = unit.execution?.nested;
  const parent = nested?.parent === undefined ? undefined : nested.parent.slice(nested.parent.lastIndexOf('/') + 1);
  return {
    id: unit.name,
    ...customary.vdu(unit.name),
    ...carriedBy('vdu', unit),
    ...(unit.description === undefined ? {} : { description: unit.description }),
    'int-cpd': unit.ports.map((port) => ({
      id: port.name,
      ...(port.network === undefined ? {} : { 'int-virtual-link-desc': port.network }),
      'layer-protocol': [IPV4],
      ...(port.internalIf === undefined ? {} : { [`${AUGMENTATION}:internalIfRef`]: port.internalIf }),
      ...(port.address === undefined ? {} : { protocol: [fixedAddress(port.address)] }),
    })),
    'virtual-compute-desc': unit.name,
    [`${AUGMENTATION}:vduNestedDesc`]: nestedPath(fn, unit),
    [`${AUGMENTATION}:vduNestedDescType`]: NESTED_TYPE,
    ...(parent === undefined ? {} : { [`${AUGMENTATION}:vduParent`]: parent === 'none' ? 'None' : parent }),
    ...(nested?.parentMandatory === undefined
      ? {}
      : { [`${AUGMENTATION}:vduParentMandatory`]: nested.parentMandatory }),
  };
}

function fixedAddress(address: string) {
  return {
    'associated-layer-protocol': IPV4,
    'address-data': [
      {
        type: 'etsi-nfv-descriptors:ip-address',
        'l3-address-data': { 'floating-ip-activated': false, 'fixed-ip-address': address },
      },
    ],
  };
}

/** In whole cores and tenths of a GB, as the YANG types demand; the exact figures are in the nested descriptor. */
function compute(fn: Block, unit: Block) {
  const { cpu = 1, memoryMiB = 1024 } = { ...fn.requirements, ...unit.requirements };
  return {
    id: unit.name,
    'virtual-memory': { size: Math.max(0.1, Math.ceil((memoryMiB / 1024) * 10) / 10).toFixed(1) },
    'virtual-cpu': { 'num-virtual-cpu': Math.max(1, Math.ceil(cpu)) },
  };
}
