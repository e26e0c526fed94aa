import { isAssumed } from '../assumed.ts';
import type { Form } from '../sol006/form.ts';

/**
 * What OSM made of ETSI GS NFV-SOL 006 from release 9 on: descriptors alone in their file, no profiles where a virtual link
 * needs none, interfaces by name inside a connection point, forwarding paths by what packets match.
 */
export const osmForm: Form = {
  style: 'osm',
  flavour: 'default-df',
  level: 'default-instantiation-level',
  description: { nsd: 'description', vnfd: 'description' },
  nsd: (id) => ({ name: id }),
  vnfd: (name, version) => ({ 'product-name': name, version }),
  cpd: (port) => ({
    'virtual-network-interface-requirement': [
      { name: port.internalIf ?? port.name, 'virtual-interface': { type: 'PARAVIRT' } },
    ],
  }),
  external: (id, target) => ({ id, ...target }),
  internalLink: (id) => ({ id }),
  link: (id) => ({ id }),
  linkProfiles(network, id) {
    const { prefix, mtu } = network;
    // What was assumed of a descriptor is not written into it.
    const l3 = isAssumed('osm', network) ? {} : { 'l3-protocol-data': { 'ip-version': 'ipv4', cidr: prefix } };
    const l2 = mtu === undefined ? {} : { 'l2-protocol-data': { mtu } };
    const data = { ...l2, ...l3 };
    return Object.keys(data).length === 0
      ? []
      : [{ id, 'virtual-link-desc-id': id, 'virtual-link-protocol-data': data }];
  },
  compute: (id, cpu, memoryMiB) => ({
    id,
    ...(Number.isNaN(cpu) ? {} : { 'virtual-cpu': { 'num-virtual-cpu': Math.max(1, Math.ceil(cpu)) } }),
    ...(Number.isNaN(memoryMiB)
      ? {}
      : { 'virtual-memory': { size: Math.max(0.1, Math.ceil((memoryMiB / 1024) * 10) / 10) } }),
  }),
  storage: (id, gigabytes) => ({ id, 'size-of-storage': gigabytes }),
  graph: (chain, hops) => ({
    id: chain.name,
    'vnf-profile-id': [...new Set(hops.map(({ profile }) => profile))],
    'nfp-position-element': [
      {
        id: 'path',
        'constituent-profile-elements': hops.map(({ id, profile, external }, order) => ({
          id,
          order,
          'constituent-base-element-id': profile,
          'ingress-constituent-cpd-id': external,
          'egress-constituent-cpd-id': external,
        })),
      },
    ],
  }),
  path: (chain) => {
    const match = (number: number, port?: number) => ({
      id: `match-${number}`,
      ...(chain.protocol === 'any' ? {} : { 'ip-proto': chain.protocol === 'tcp' ? 6 : 17 }),
      'destination-ip-address': chain.address,
      ...(port === undefined ? {} : { 'destination-port': port }),
    });
    const matches = chain.ports.length === 0 ? [match(1)] : chain.ports.map((port, i) => match(i + 1, port));
    return {
      id: chain.name,
      'position-desc-id': [{ id: 'position', 'nfp-position-element-id': ['path'], 'match-attributes': matches }],
    };
  },
};
