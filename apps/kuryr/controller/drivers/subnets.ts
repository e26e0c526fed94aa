import { type Clock, isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { formatIpv4, parseIpv4, parseIpv4Prefix, prefixHas } from '@superfluidity/model';
import { type Cloud, networks, subnets } from '@superfluidity/openstack';
import { CLOUD_ID } from '../cloud-id.ts';
import type { KuryrConfig } from '../config.ts';
import type { World } from '../world.ts';
import { Kept } from './kept.ts';
import type { PodSubnet, SubnetDriver } from './types.ts';
import '../errors.ts';

/** What Neutron says of a subnet is asked for anew now and then: routes are added, the MTU changes. */
const KEPT = { freshMs: 300_000, oldMs: 3_600_000 } as const;

/** On a namespace: id of the subnet of the cloud in which its pods are. */
export const SUBNET_ANNOTATION = 'superfluidity.dev/subnet';

/** One subnet of Neutron for all pods. */
export function neutronSubnet(cloud: Cloud, clock: Clock, subnetId: string): SubnetDriver {
  const read = subnetReader(cloud, clock);
  return { kind: 'default', of: (_namespace, _node, signal) => read(subnetId, signal) };
}

/**
 * The subnet that the annotation of the namespace names, one that somebody else made: so pods are in the network of virtual machines.
 * Without it, that of all others.
 */
export function annotatedSubnets(
  cloud: Cloud,
  clock: Clock,
  fallback: string,
  annotations: (namespace: string) => Readonly<Record<string, string>>,
  /** Names of all that there are. */
  namespaces: () => readonly string[],
): SubnetDriver {
  const read = subnetReader(cloud, clock);
  return {
    kind: 'annotation',
    networks: async (signal) => {
      const named = namespaces().flatMap((namespace) => annotations(namespace)[SUBNET_ANNOTATION] ?? []);
      const found = await Promise.all(
        [...new Set([fallback, ...named.filter((id) => CLOUD_ID.test(id))])].map((id) =>
          read(id, signal).catch((error: unknown) => {
            // What names a subnet that is gone holds no network.
            if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
            throw error;
          }),
        ),
      );
      return new Set(found.flatMap((subnet) => subnet?.networkId ?? []));
    },
    of: async (namespace, _node, signal) => {
      const said = annotations(namespace)[SUBNET_ANNOTATION];
      if (said === undefined) return read(fallback, signal);
      const refuse = (reason: string, cause?: unknown) =>
        new SuperfluidityError('SF-KURYR-ANNOTATION', {
          doing: `find the subnet of namespace ${namespace}`,
          reason: `its annotation ${SUBNET_ANNOTATION} ${reason}`,
          cause,
        });
      if (!CLOUD_ID.test(said)) throw refuse('is no id of a subnet');
      return read(said, signal).catch((error: unknown) => {
        if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND'))
          throw refuse(`names ${said}, which is not there for the controller`, error);
        throw error;
      });
    },
  };
}

/** Asks once for all who want one at a time, and remembers. */
export function subnetReader(cloud: Cloud, clock: Clock): (id: string, signal: AbortSignal) => Promise<PodSubnet> {
  const kept = new Kept<PodSubnet>(clock, KEPT);
  return (id, signal) => kept.of(id, () => readSubnet(cloud, id, signal));
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
  const given = gateway === undefined ? undefined : parseIpv4(gateway);
  if (gateway !== undefined && (given === undefined || !prefixHas(prefix, given)))
    throw new SuperfluidityError('SF-FABRIC-PREFIX', {
      doing: 'connect pods',
      reason: `the gateway ${gateway} does not lie in ${cidr}`,
    });
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
