import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import { NeutronPorts, nodeIn, PairPorts, TrunkPorts } from '@superfluidity/driver-openstack';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { Spare } from '@superfluidity/driver-kubernetes/kuryr';
import type { PoolPort, PortsBackend, VlanRange } from '@superfluidity/fabric';
import { type Cloud, networks, type Port, ports } from '@superfluidity/openstack';
import { LIMITS } from '../limits.ts';
import { Kept } from './kept.ts';
import { ETHERNET_MTU } from './subnets.ts';
import type { PodSubnet, VifKind, VifType } from './types.ts';
import '../errors.ts';

export interface NeutronVifOptions {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: Logger;
  /** On everything of this cluster: by these its ports are found again. */
  readonly tags: readonly string[];
  /** Of Open vSwitch on nodes of bare metal. */
  readonly bridge: string;
  /** Of which VLAN ids pods in virtual machines get theirs. Default: all. */
  readonly vlans?: VlanRange;
}

/** Of networks, and of the ports of virtual machines that are nodes. */
const MTU_KEPT = { freshMs: 3_600_000, oldMs: 7_200_000 } as const;
const PARENT_KEPT = { freshMs: 60_000, oldMs: 600_000 } as const;
/** On a node of bare metal: what the cloud calls its host, where that is not the name of the node. */
const HOST_LABEL = 'superfluidity.dev/host';

/** Ports of a Neutron, for pods on bare metal and for pods in virtual machines, each from a pool of its own. */
export function neutronVif(kind: Exclude<VifKind, 'linux'>, options: NeutronVifOptions): VifType {
  const { cloud, clock, log, tags: siteTags, bridge } = options;
  const common = { cloud, clock, log, siteTags, pool: `kuryr-${kind}` };
  const project = async (asked: string) => (asked === '' ? ((await cloud.session()).projectId ?? '') : asked);
  const always = async (ids: ReadonlySet<string>) => ids;
  switch (kind) {
    case 'neutron-vif': {
      const backend = new NeutronPorts({ ...common, binding: 'host' });
      const plugging = ({ id }: PoolPort) => ({ kind: 'ovs', bridge, interfaceId: id }) as const;
      return {
        kind,
        backend,
        at: async ({ metadata: { name, labels } }) => {
          const host = labels?.[HOST_LABEL] ?? name;
          return host === name ? name : `${name}@${host}`;
        },
        plugging,
        project,
        // The agent of the node brings it up once the daemon has plugged it.
        activeAtOnce: false,
        active: async (ids, signal) => {
          const all = await backend.active(signal);
          return new Set([...ids].filter((id) => all.has(id)));
        },
        ahead: {
          nodeOf: ({ at }) => nodeIn(at),
          spare: spareReader(options, plugging),
        },
      };
    }
    case 'nested-vlan':
      return overTrunks(options, new TrunkPorts(common, options.vlans), { active: always, project });
    case 'nested-macvlan':
      return nested(
        kind,
        options,
        new PairPorts(common),
        { active: always, project },
        {
          at: ({ id }) => id,
          plugging: () => ({ kind: 'macvlan' }),
        },
      );
  }
}

/** Nested ones are ACTIVE before they are handed out: the virtual machine's own port is plugged already. */
function overTrunks(
  options: NeutronVifOptions,
  backend: PortsBackend,
  common: Pick<VifType, 'active' | 'project'>,
): VifType {
  /**
   * Names of nodes that asked for something, by their trunks; also those of virtual machines that a node was before, of which pools are
   * left. Whoever asked longest ago is forgotten first.
   */
  const nodes = new Map<string, string>();
  const plugging = ({ vlan }: PoolPort) => ({ kind: 'vlan', id: vlan! }) as const;
  const at = (parent: Port, node: Node) => {
    const trunk = parent.trunk_details?.trunk_id;
    if (trunk === undefined) throw unfit(node, `port ${parent.id} of its virtual machine is not the parent of a trunk`);
    nodes.delete(trunk);
    nodes.set(trunk, node.metadata.name);
    if (nodes.size > LIMITS.trunks) nodes.delete(nodes.keys().next().value!);
    return trunk;
  };
  return {
    ...nested('nested-vlan', options, backend, common, { at, plugging }),
    // It pays where the daemon makes VLANs in Open vSwitch: it says itself whether it does.
    ahead: {
      nodeOf: (place) => nodes.get(place.at),
      spare: spareReader(options, plugging),
    },
  };
}

function nested(
  kind: VifKind,
  { cloud, clock }: NeutronVifOptions,
  backend: PortsBackend,
  common: Pick<VifType, 'active' | 'project'>,
  how: { readonly at: (parent: Port, node: Node) => string; readonly plugging: VifType['plugging'] },
): VifType {
  const parents = new NodeParents(cloud, clock);
  return {
    kind,
    backend,
    at: async (node, signal) => how.at((await parents.of(node, signal)).port, node),
    carries: async (node, subnet, signal) => refuseLarger(node, await parents.of(node, signal), subnet),
    plugging: how.plugging,
    activeAtOnce: true,
    ...common,
  };
}

/** The port of the virtual machine that a node is, and the MTU of its network. */
interface Parent {
  readonly port: Port;
  readonly mtu: number;
}

/** The tag of a VLAN is no part of what the MTU counts (IEEE 802.1Q): a port carries networks with MTUs up to its own. */
function refuseLarger(node: Node, { port, mtu }: Parent, { networkId, mtu: wanted }: PodSubnet): void {
  if (mtu >= wanted) return;
  throw unfit(
    node,
    `packets of ${wanted} bytes of network ${networkId} do not go through port ${port.id} of its virtual machine: the MTU of its network ${port.network_id} is ${mtu}`,
  );
}

/** What the daemon is told of a port that lies ready. */
function spareReader(
  { cloud, clock }: NeutronVifOptions,
  plugging: (port: PoolPort) => Spare['plugging'],
): NonNullable<VifType['ahead']>['spare'] {
  const mtuOf = mtuReader(cloud, clock);
  return async (port, signal) => ({
    id: port.id,
    mac: port.mac.toLowerCase(),
    mtu: await mtuOf(port.place.network, signal),
    plugging: plugging(port),
  });
}

/** Of networks, asked for anew now and then: pools are told of all the time. */
function mtuReader(cloud: Cloud, clock: Clock): (network: string, signal: AbortSignal) => Promise<number> {
  const kept = new Kept<number>(clock, MTU_KEPT);
  return (network, signal) =>
    kept.of(network, async () => (await networks.show(cloud, network, signal)).mtu ?? ETHERNET_MTU);
}

/** Ports of the virtual machines that nodes are: found by the address of the node, and looked for anew now and then. */
class NodeParents {
  readonly #cloud: Cloud;
  readonly #kept: Kept<Parent>;

  constructor(cloud: Cloud, clock: Clock) {
    this.#cloud = cloud;
    this.#kept = new Kept(clock, PARENT_KEPT);
  }

  of(node: Node, signal: AbortSignal): Promise<Parent> {
    const { name } = node.metadata;
    const { addresses, nodeInfo } = node.status ?? {};
    const address = addresses?.find(({ type }) => type === 'InternalIP')?.address;
    if (address === undefined) throw unfit(node, 'it has no address of type InternalIP');
    // Another machine may get the name and the address.
    const about = `${address} ${nodeInfo?.['systemUUID'] ?? ''}`;
    return this.#kept.of(name, () => this.#find(node, address, signal), about);
  }

  async #find(node: Node, address: string, signal: AbortSignal): Promise<Parent> {
    const found = await ports.list(this.#cloud, { fixed_ips: `ip_address=${address}` }, signal);
    const [first, ...others] = found.filter(({ device_owner: owner }) => owner.startsWith('compute:'));
    if (first !== undefined && others.length === 0) {
      const { mtu } = await networks.show(this.#cloud, first.network_id, signal);
      return { port: first, mtu: mtu ?? ETHERNET_MTU };
    }
    const reason =
      first === undefined
        ? `no virtual machine of the project has a port with its address ${address}`
        : `${found.length} ports have its address ${address}: networks of nodes must not overlap`;
    throw unfit(node, reason);
  }
}

function unfit({ metadata }: Node, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-KURYR-NODE', { doing: `connect pods of node ${metadata.name}`, reason });
}
