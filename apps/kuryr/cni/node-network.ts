import type { Logger } from '@superfluidity/core';
import {
  createPassthrough,
  createVlan,
  errnoOf,
  getLink,
  listRoutes,
  type NamespaceName,
  transact,
} from '@superfluidity/netlink';
import type { VSwitch } from './vswitch.ts';

export interface TrunkSettings {
  /** The device of the node's own port. Default: that of its default route. */
  readonly device?: string;
  /** Bridge of Open vSwitch that the device is a port of, for VLANs where the kernel has none. */
  readonly bridge?: string;
}

/** Where the daemon plugs: the network of the node. */
export interface NodeNetwork {
  /** As Kubernetes calls it. */
  readonly name: string;
  /** Undefined is that of this process. */
  readonly namespace: NamespaceName;
  readonly vswitch: VSwitch;
  readonly trunk: TrunkSettings;
  /** Bridges that pods are to have and that are not there: nobody else makes them. */
  readonly makesBridges: boolean;
  /** Of the kernel: 802.1Q. */
  readonly hasVlans: boolean;
  /** Of the kernel: macvlan, by which what was plugged ahead is given to a pod. */
  readonly hasMacvlans: boolean;
  readonly log: Logger;
}

/** The node's own device, over which pods have VLANs or addresses of their own. */
export function trunkDevice({
  namespace,
  trunk,
}: Pick<NodeNetwork, 'namespace' | 'trunk'>): number | string | undefined {
  return (
    trunk.device ?? listRoutes(namespace, { family: 4 }).find(({ destination }) => destination === 'default')?.device
  );
}

/** Tried, because modules come when they are asked for. Nothing is left of the attempt. */
export function hasVlans(namespace: NamespaceName): boolean {
  try {
    // The loopback device carries no VLANs: a kernel that knows them refuses this one, one that does not the kind.
    transact(namespace, [createVlan(getLink(namespace, 'lo').index, 1, { name: 'sf-vlan-probe' })]);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'EOPNOTSUPP' || !/device type/i.test(String(error));
  }
}

/** Tried in the same way. */
export function hasMacvlans(namespace: NamespaceName): boolean {
  try {
    // The loopback device carries none of them either.
    transact(namespace, [createPassthrough(getLink(namespace, 'lo').index, { name: 'sf-over-probe' })]);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'EOPNOTSUPP';
  }
}
