import { type Clock, SuperfluidityError } from '@superfluidity/core';
import { formatIpv4, parseIpv4Prefix } from '@superfluidity/model';
import { type Cloud, networks, subnets } from '@superfluidity/openstack';
import type { KuryrConfig } from '../config.ts';
import type { World } from '../world.ts';
import type { PodSubnet, SubnetDriver } from './types.ts';
import '../errors.ts';

/** What Neutron says of a subnet is asked for anew now and then: routes are added, the MTU changes. */
const KEPT_MS = 300_000;

/** One subnet of Neutron for all pods. */
export function neutronSubnet(cloud: Cloud, clock: Clock, subnetId: string): SubnetDriver {
  let known: { readonly subnet: Promise<PodSubnet>; readonly untilMs: number } | undefined;
  return {
    kind: 'default',
    of: (_namespace, _node, signal) => {
      if (known === undefined || clock.now() >= known.untilMs) {
        known = { subnet: readSubnet(cloud, subnetId, signal), untilMs: clock.now() + KEPT_MS };
        known.subnet.catch(() => {
          known = undefined;
        });
      }
      return known.subnet;
    },
  };
}

export async function readSubnet(cloud: Cloud, subnetId: string, signal: AbortSignal): Promise<PodSubnet> {
  const {
    network_id: networkId,
    cidr,
    gateway_ip: gateway,
    host_routes: routes,
  } = await subnets.show(cloud, subnetId, signal);
  const { mtu } = await networks.show(cloud, networkId, signal);
  return {
    networkId,
    subnetId,
    cidr,
    ...(gateway === undefined || gateway === null ? {} : { gateway }),
    mtu: mtu ?? ETHERNET_MTU,
    routes: routes.map(({ destination, nexthop }) => ({ destination, nextHop: nexthop })),
  };
}

export const ETHERNET_MTU = 1_500;

/** A prefix for all pods, or that of each node. */
export function linuxSubnet(options: NonNullable<KuryrConfig['linux']>): SubnetDriver {
  return {
    kind: 'default',
    of: async (_namespace, node) => {
      const { metadata, spec } = node;
      const cidr = options.cidr === 'node' ? spec?.podCIDR : options.cidr;
      if (cidr !== undefined && cidr !== '') return linuxNetwork(cidr, options.mtu, options.gateway);
      throw new SuperfluidityError('SF-KURYR-NODE', {
        doing: `connect pods of node ${metadata.name}`,
        reason: 'the node has no podCIDR, and linux.cidr is `node`',
      });
    },
  };
}

export function linuxNetwork(cidr: string, mtu: number, gateway: string | undefined): PodSubnet {
  const prefix = parseIpv4Prefix(cidr);
  if (prefix === undefined)
    throw new SuperfluidityError('SF-FABRIC-PREFIX', { doing: 'connect pods', reason: `${cidr} is no prefix of IPv4` });
  return { networkId: cidr, subnetId: cidr, cidr, gateway: gateway ?? formatIpv4(prefix.base + 1), mtu, routes: [] };
}

/** The network that the namespace has, as it stands in its KuryrNetwork. */
export function namespaceSubnets(world: World): SubnetDriver {
  return {
    kind: 'namespace',
    of: async (namespace) => {
      const network = world.networks.get(`${namespace}/${namespace}`);
      const made = network?.metadata.deletionTimestamp === undefined ? network?.status : undefined;
      if (made === undefined)
        throw new SuperfluidityError('SF-KURYR-NOT-READY', {
          doing: `connect a pod of namespace ${namespace}`,
          reason: `KuryrNetwork ${namespace}/${namespace} has no network yet`,
        });
      const { networkId, subnetId, cidr, gateway, mtu } = made;
      return { networkId, subnetId, cidr, ...(gateway === undefined ? {} : { gateway }), mtu, routes: [] };
    },
  };
}
