import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import { NeutronPorts, PairPorts, TrunkPorts } from '@superfluidity/driver-openstack';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { PortsBackend } from '@superfluidity/fabric';
import { type Cloud, type Port, ports } from '@superfluidity/openstack';
import type { VifKind, VifType } from './types.ts';
import '../errors.ts';

export interface NeutronVifOptions {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: Logger;
  /** On everything of this cluster: by these its ports are found again. */
  readonly tags: readonly string[];
  /** Of Open vSwitch on nodes of bare metal. */
  readonly bridge: string;
}

/** Ports of a Neutron, for pods on bare metal and for pods in virtual machines, each from a pool of its own. */
export function neutronVif(kind: Exclude<VifKind, 'linux'>, options: NeutronVifOptions): VifType {
  const { cloud, clock, log, tags: siteTags, bridge } = options;
  const common = { cloud, clock, log, siteTags, pool: `kuryr-${kind}` };
  const activeOf = (backend: NeutronPorts) => async (ids: ReadonlySet<string>, signal: AbortSignal) => {
    const there = await backend.ports(signal);
    return new Set(there.flatMap(({ port }) => (ids.has(port.id) && port.status === 'ACTIVE' ? [port.id] : [])));
  };
  const project = async (asked: string) => (asked === '' ? ((await cloud.session()).projectId ?? '') : asked);
  const always = async (ids: ReadonlySet<string>) => ids;
  switch (kind) {
    case 'neutron-vif': {
      const backend = new NeutronPorts({ ...common, binding: 'host' });
      return {
        kind,
        backend,
        at: async ({ metadata }) => metadata.name,
        plugging: ({ id }) => ({ kind: 'ovs', bridge, interfaceId: id }),
        project,
        // The agent of the node brings it up once the daemon has plugged it.
        activeAtOnce: false,
        active: activeOf(backend),
      };
    }
    case 'nested-vlan':
      return nested(
        kind,
        options,
        new TrunkPorts(common),
        { active: always, project },
        {
          at: (parent, node) => {
            const trunk = parent.trunk_details?.trunk_id;
            if (trunk !== undefined) return trunk;
            throw unfit(node, `port ${parent.id} of its virtual machine is not the parent of a trunk`);
          },
          // Nested ones are ACTIVE before they are handed out: the virtual machine's own port is plugged already.
          plugging: ({ vlan }) => ({ kind: 'vlan', id: vlan! }),
        },
      );
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
    at: async (node, signal) => how.at(await parents.of(node, signal), node),
    plugging: how.plugging,
    activeAtOnce: true,
    ...common,
  };
}

const KEPT_MS = 60_000;

/** Ports of the virtual machines that nodes are: found by the address of the node, and looked for anew now and then. */
class NodeParents {
  readonly #cloud: Cloud;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly port: Promise<Port>; readonly untilMs: number }>();

  constructor(cloud: Cloud, clock: Clock) {
    this.#cloud = cloud;
    this.#clock = clock;
  }

  of(node: Node, signal: AbortSignal): Promise<Port> {
    const { name } = node.metadata;
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    if (address === undefined) throw unfit(node, 'it has no address of type InternalIP');
    const key = `${name} ${address}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#clock.now() < known.untilMs) return known.port;
    const port = this.#find(node, address, signal);
    for (const other of this.#known.keys()) if (other.startsWith(`${name} `)) this.#known.delete(other);
    this.#known.set(key, { port, untilMs: this.#clock.now() + KEPT_MS });
    port.catch(() => this.#known.delete(key));
    return port;
  }

  async #find(node: Node, address: string, signal: AbortSignal): Promise<Port> {
    const found = await ports.list(this.#cloud, { fixed_ips: `ip_address=${address}` }, signal);
    const [first, ...others] = found.filter(({ device_owner: owner }) => owner.startsWith('compute:'));
    if (first !== undefined && others.length === 0) return first;
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
