import type { Chain, Network, Port } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import { AUGMENTATION, formatRule } from './mapping.ts';
import { rangeOf } from './meaning.ts';
import { isGroup, type Fields, type Style } from './style.ts';

/** A hop of a chain as descriptors name it. */
export interface Hop {
  readonly id: string;
  readonly profile: string;
  readonly vnfd: string;
  readonly external: string;
}

/** How a form of the information model writes what nothing is carried of. */
export interface Form {
  readonly style: Style;
  readonly flavour: string;
  readonly level: string;
  nsd(id: string): Fields;
  vnfd(name: string, version: string): Fields;
  description: { readonly nsd: string; readonly vnfd: string };
  cpd(port: Port, id: string, index: number): Fields;
  external(id: string, target: Fields): Fields;
  internalLink(id: string): Fields;
  link(id: string): Fields;
  linkProfiles(network: Network, id: string): readonly Fields[];
  compute(id: string, cpu: number, memoryMiB: number): Fields;
  storage(id: string, gigabytes: number): Fields;
  graph(chain: Chain, hops: readonly Hop[]): Fields;
  path(chain: Chain, hops: readonly Hop[]): Fields;
}

export const IPV4 = 'etsi-nfv-descriptors:ipv4';
const ETHERNET = 'etsi-nfv-descriptors:ethernet';

export const sol006Form: Form = {
  style: 'sol006',
  flavour: 'default',
  level: 'default',
  description: { nsd: 'name', vnfd: 'product-info-description' },
  nsd: (id) => ({ designer: 'superfluidity', 'invariant-id': id }),
  vnfd: (name, version) => ({
    provider: 'superfluidity',
    'product-name': name,
    'software-version': version,
    version,
    'vnfm-info': ['superfluidity'],
  }),
  cpd: (port) => ({
    'layer-protocol': [IPV4],
    ...(port.internalIf === undefined ? {} : { [`${AUGMENTATION}:internalIfRef`]: port.internalIf }),
  }),
  external: (id, target) => ({ id, ...target, 'layer-protocol': [IPV4] }),
  internalLink: (id) => ({ id, flavour: [{ id: 'default' }], 'connectivity-type': { 'layer-protocol': [IPV4] } }),
  link: (id) => ({ id, 'connectivity-type': { 'layer-protocol': [IPV4] }, df: [{ id: 'default' }] }),
  /** A profile has the data of one protocol (IPv4 or Ethernet): a virtual link with an MTU has two profiles. */
  linkProfiles(network, id) {
    const { prefix, mtu } = network;
    const profile = (name: string, protocol: string, data: object) => ({
      id: name,
      'virtual-link-desc-id': id,
      'flavour-id': 'default',
      // Of a link as a whole nothing is required; what is asked for stands at chains.
      'max-bitrate-requirements': { root: '0' },
      'min-bitrate-requirements': { root: '0' },
      'virtual-link-protocol-data': { 'associated-layer-protocol': protocol, ...data },
    });
    // What was assumed of a descriptor is not written into it.
    const cidr = isAssumed('sol006', network) ? {} : { cidr: prefix };
    const l3 = profile(id, IPV4, { 'l3-protocol-data': { 'ip-version': 'ipv4', ...cidr } });
    return mtu === undefined ? [l3] : [l3, profile(`${id}-ethernet`, ETHERNET, { 'l2-protocol-data': { mtu } })];
  },
  /** In whole cores and tenths of a GB, as the YANG types demand; the exact figures are in the nested descriptor. */
  compute: (id, cpu, memoryMiB) => ({
    id,
    'virtual-memory': { size: Math.max(0.1, Math.ceil((memoryMiB / 1024) * 10) / 10).toFixed(1) },
    'virtual-cpu': { 'num-virtual-cpu': Math.max(1, Math.ceil(cpu)) },
  }),
  storage: (id, gigabytes) => ({
    id,
    'type-of-storage': 'etsi-nfv-descriptors:block',
    'block-storage-data': { 'size-of-storage': String(gigabytes) },
  }),
  graph: (chain, hops) => ({
    id: chain.name,
    'vnf-profile-id': [...new Set(hops.map(({ profile }) => profile))],
    'nfp-position-element': hops.map(({ id, profile, vnfd, external }) => ({
      id,
      desc: { 'vnf-profile': { 'vnf-profile-id': profile }, vnf: { 'vnfd-id': vnfd, 'cpd-id': external } },
    })),
  }),
  path: (chain, hops) => ({
    id: chain.name,
    rule: formatRule(chain),
    'position-desc': hops.map(({ id }) => ({
      id,
      'nfp-position-element-id': [id],
      'forwarding-behaviour': 'etsi-nfv-descriptors:all',
    })),
  }),
};

export function fixedAddress(address: string): Fields {
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

/** What may come in at a port as a security group rule. Undefined where it takes more than one. */
export function securityRule(id: string, { allow = [] }: Port): Fields | undefined {
  const [rule, ...others] = allow;
  const range = rangeOf(rule?.ports ?? []);
  if (rule?.protocol === undefined || rule.from !== undefined || others.length > 0 || range === undefined)
    return undefined;
  const ports =
    rule.protocol === 'icmp' || rule.ports === undefined
      ? {}
      : { 'port-range-min': range[0], 'port-range-max': range[1] };
  if (rule.protocol === 'icmp' && rule.ports !== undefined) return undefined;
  if (rule.ports?.length === 0) return undefined;
  return { id, direction: 'ingress', 'ether-type': 'ipv4', protocol: rule.protocol, ...ports };
}

/** The text of carried lists, item by item. */
export function groupsIn(fields: Fields, name: string): readonly Fields[] {
  const list = fields[name];
  return Array.isArray(list) ? list.filter(isGroup) : [];
}

export function bandwidth({ bandwidthMbps }: Port): Fields {
  return bandwidthMbps === undefined ? {} : { 'bitrate-requirement': String(Math.round(bandwidthMbps * 1e6)) };
}
