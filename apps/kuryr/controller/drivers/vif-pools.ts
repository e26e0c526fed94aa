import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import { type Keep, type PoolPort, PortsPool, type PoolStats } from '@superfluidity/fabric';
import type { PodInterface } from '../../api/port.ts';
import { networkIn } from './linux-ports.ts';
import { type PodSubnet, type VifKind, vifKinds, type VifType } from './types.ts';
import '../errors.ts';

export interface VifWish {
  readonly node: Node;
  readonly project: string;
  readonly subnet: PodSubnet;
  /** Ids of security groups. */
  readonly groups: readonly string[];
  readonly isDefault: boolean;
  /** Written at the port, where ports are named. */
  readonly owner: string;
}

export interface VifPoolsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly types: readonly VifType[];
  /** Of nodes that do not say. */
  readonly kind: VifKind;
  readonly keep: Keep;
  readonly updateMs: number;
  readonly verify: boolean;
  readonly names: boolean;
  readonly stopwatch: () => number;
}

/** On a node: how its pods are connected. */
export const VIF_LABEL = 'superfluidity.dev/vif';
const ORDER_MOST = 50;
const READY_MS = 120_000;
/** Whoever asks whether ports are active shares the answers of so long ago. */
const LOOK_MS = 150;

interface Vif {
  readonly type: VifType;
  readonly pool: PortsPool;
  /** Ids of ports that pods have. */
  readonly given: Set<string>;
  look?: { readonly ids: ReadonlySet<string>; readonly active: Promise<ReadonlySet<string>>; readonly untilMs: number };
}

/**
 * Interfaces of pods out of pools, one pool for each node, project and network, for nodes of several kinds at once (the
 * `multi_pool` of Kuryr): bare metal and virtual machines in one cluster.
 */
export class VifPools {
  readonly #options: VifPoolsOptions;
  readonly #vifs: ReadonlyMap<VifKind, Vif>;
  /** Groups that were given to ports in use. */
  readonly #groups = new Map<string, string>();
  #recovered = false;

  constructor(options: VifPoolsOptions) {
    this.#options = options;
    const { clock, log, types, keep, updateMs, verify, stopwatch } = options;
    const common = { clock, log, keep, verify, stopwatch, updateEveryMs: updateMs };
    const open = (type: VifType): Vif => ({
      type,
      given: new Set(),
      pool: new PortsPool({ ...common, backend: type.backend, orderMost: ORDER_MOST, readyTimeoutMs: READY_MS }),
    });
    this.#vifs = new Map(types.map((type) => [type.kind, open(type)]));
  }

  /** What pods have, as it stands in their KuryrPorts; all else that carries our mark is free. To be called first. */
  async recover(inUse: readonly { readonly node: string; readonly given: PodInterface }[]): Promise<void> {
    for (const { type, pool, given: ids } of this.#vifs.values()) {
      const own = inUse.filter(({ given }) => kindOf(given) === type.kind);
      type.adopt?.(
        own.flatMap(({ node, given: { id, mac, addresses } }) => {
          const network = networkIn(id);
          // Somebody else's.
          if (network === undefined) return [];
          const plain = addresses.map((one) => one.split('/')[0]!);
          const place = { project: '', at: node, network };
          return [{ id, place, groups: [], owner: '', mac, addresses: plain, ready: true, used: false }];
        }),
      );
      for (const { given } of own) ids.add(given.id);
      await pool.recover(ids);
    }
    this.#recovered = true;
  }

  get isRecovered(): boolean {
    return this.#recovered;
  }

  /** Throws `SF-KURYR-NODE`. */
  kindOf(node: Node): VifKind {
    return this.#of(node).type.kind;
  }

  async acquire(wish: VifWish, signal: AbortSignal): Promise<PodInterface> {
    const { node, project, subnet, groups, owner, isDefault } = wish;
    const { type, pool, given } = this.#of(node);
    const at = await type.at(node, signal);
    const whose = await type.project(project);
    const port = await pool.acquire(
      { project: whose, at, network: subnet.networkId, groups, ...(this.#options.names ? { owner } : {}) },
      signal,
    );
    given.add(port.id);
    this.#groups.set(port.id, wordOf(groups));
    return interfaceOf(port, subnet, type, isDefault);
  }

  /** It is no longer plugged. False: it is not ours, or was given back before. */
  release(given: PodInterface): boolean {
    const vif = this.#vifs.get(kindOf(given));
    this.#groups.delete(given.id);
    vif?.given.delete(given.id);
    return vif?.pool.release(given.id) ?? false;
  }

  /** Gives a port in use the groups that its pod has now, where they are others than it had. */
  async regroup(given: PodInterface, groups: readonly string[], signal: AbortSignal): Promise<boolean> {
    const vif = this.#vifs.get(kindOf(given));
    if (vif === undefined) return false;
    const wanted = wordOf(groups);
    if (this.#groups.get(given.id) === wanted) return false;
    const { backend } = vif.type;
    const now = await backend.show(given.id, signal);
    if (now === undefined) return false;
    const isSame = wordOf(now.groups) === wanted;
    if (!isSame) await backend.update(given.id, { groups }, signal);
    this.#groups.set(given.id, wanted);
    return !isSame;
  }

  async isActive(given: PodInterface, waiting: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
    const vif = this.#vifs.get(kindOf(given));
    if (vif === undefined) return false;
    const nowMs = this.#options.clock.now();
    if (vif.look === undefined || nowMs >= vif.look.untilMs || !vif.look.ids.has(given.id)) {
      const ids = new Set([...waiting, given.id]);
      vif.look = { ids, active: vif.type.active(ids, signal), untilMs: nowMs + LOOK_MS };
      // Whoever asked is told; what failed is not shared.
      vif.look.active.catch(() => delete vif.look);
    }
    return (await vif.look.active).has(given.id);
  }

  /** Keeps ports ready at the node, before its first pod comes. */
  async want(node: Node, project: string, subnet: PodSubnet, groups: readonly string[], signal: AbortSignal) {
    const { type, pool } = this.#of(node);
    const at = await type.at(node, signal);
    pool.want({ project: await type.project(project), at, network: subnet.networkId }, groups);
  }

  /** Resolves when no port that lies ready has it. */
  async releaseGroup(group: string): Promise<void> {
    for (const { pool } of this.#vifs.values()) await pool.releaseGroup(group);
  }

  async releaseNetwork(network: string): Promise<void> {
    for (const { pool } of this.#vifs.values()) await pool.releaseNetwork(network);
  }

  /** The node is gone: what lies ready there is of no use. */
  async releaseNode(node: Node, signal: AbortSignal): Promise<void> {
    const { type, pool } = this.#of(node);
    await pool.releasePlace(await type.at(node, signal));
  }

  stats(): readonly (PoolStats & { readonly kind: VifKind })[] {
    return [...this.#vifs.values()].flatMap(({ type, pool }) =>
      pool.stats().map((stats) => ({ ...stats, kind: type.kind })),
    );
  }

  /** How many ports pods have, by how these are connected. */
  inUse(): readonly (readonly [kind: VifKind, count: number])[] {
    return [...this.#vifs.values()].map(({ type, given }) => [type.kind, given.size] as const);
  }

  async settled(): Promise<void> {
    for (const { pool } of this.#vifs.values()) await pool.settled();
  }

  /** Lets go: ports stay where they are, and are found again. */
  async close(): Promise<void> {
    await Promise.all([...this.#vifs.values()].map(({ pool }) => pool.close()));
  }

  #of(node: Node): Vif {
    const label = node.metadata.labels?.[VIF_LABEL];
    const kind = label ?? this.#options.kind;
    const found = this.#vifs.get(kind as VifKind);
    if (found !== undefined) return found;
    const known = (vifKinds as readonly string[]).includes(kind);
    throw new SuperfluidityError('SF-KURYR-NODE', {
      doing: `connect pods of node ${node.metadata.name}`,
      reason: known
        ? `its label ${VIF_LABEL} says ${kind}, for which the controller is not configured`
        : `its label ${VIF_LABEL} is none of ${vifKinds.join(', ')}`,
    });
  }
}

const wordOf = (groups: readonly string[]): string => groups.toSorted().join(',');

const KINDS = { ovs: 'neutron-vif', vlan: 'nested-vlan', macvlan: 'nested-macvlan', bridge: 'linux' } as const;
const kindOf = ({ plugging }: PodInterface): VifKind => KINDS[plugging.kind];

function interfaceOf(port: PoolPort, subnet: PodSubnet, type: VifType, isDefault: boolean): PodInterface {
  const length = subnet.cidr.slice(subnet.cidr.indexOf('/'));
  return {
    id: port.id,
    mac: port.mac,
    // Prefixes are of IPv4.
    addresses: port.addresses.filter((address) => !address.includes(':')).map((address) => address + length),
    ...(subnet.gateway === undefined ? {} : { gateway: subnet.gateway }),
    routes: [...subnet.routes],
    mtu: subnet.mtu,
    active: type.activeAtOnce,
    isDefault,
    plugging: type.plugging(port),
  };
}
