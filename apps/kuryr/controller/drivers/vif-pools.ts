import { type Clock, type Logger, reportError, SuperfluidityError } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import { type PodInterface, type Spare, SPARES_MOST } from '@superfluidity/driver-kubernetes/kuryr';
import {
  type Keep,
  type PoolPort,
  type PortsBackend,
  PortsPool,
  type PoolStats,
  type PortWish,
} from '@superfluidity/fabric';
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
  /** See `PodInterface`. */
  readonly attached?: string;
  /** Whose it is from now on. */
  readonly holder: string;
  /** Written at the port, where ports are named. */
  readonly owner: string;
}

/** An interface and who has it. */
export interface Held {
  readonly node: string;
  readonly holder: string;
  readonly given: PodInterface;
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
/** Ports in one request: many more are hardly cheaper, and the first of them comes with the last. */
const ORDER_MOST = 10;
const READY_MS = 120_000;
/** Whoever asks whether ports are active shares the answers of so long ago. */
const LOOK_MS = 150;

interface Vif {
  readonly type: VifType;
  readonly pool: PortsPool;
  /** Ids of ports that pods have, and who holds them: one, unless something went wrong. */
  readonly given: Map<string, Set<string>>;
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
  #onReady: () => void = () => {};

  constructor(options: VifPoolsOptions) {
    this.#options = options;
    const { clock, log, types, keep, updateMs, verify, stopwatch } = options;
    const common = { clock, log, keep, verify, stopwatch, updateEveryMs: updateMs };
    const open = (type: VifType): Vif => ({
      type,
      given: new Map(),
      pool: new PortsPool({
        ...common,
        backend: toldOfLists(type.backend, (ports) => this.#listed(ports)),
        orderMost: ORDER_MOST,
        readyTimeoutMs: READY_MS,
        // What carries traffic wherever it lies has not to be looked at.
        ...(type.ahead === undefined || type.activeAtOnce
          ? {}
          : { ahead: { active: (ids, signal) => type.active(ids, signal), onReady: () => this.#onReady() } }),
      }),
    });
    this.#vifs = new Map(types.map((type) => [type.kind, open(type)]));
  }

  /** What pods have, as it stands in their KuryrPorts; all else that carries our mark is free. To be called first. */
  async recover(inUse: readonly Held[]): Promise<void> {
    for (const vif of this.#vifs.values()) {
      const { type, pool } = vif;
      const own = inUse.filter(({ given }) => kindOf(given) === type.kind);
      type.adopt?.(own.flatMap(({ node, given }) => portOf(node, given) ?? []));
      for (const { holder, given } of own) hold(vif, given.id, holder);
      await pool.recover(new Set(vif.given.keys()));
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
    const { vif, wanted } = await this.#wanted(wish, signal);
    return this.#given(vif, await vif.pool.acquire(wanted, signal), wish);
  }

  /**
   * What takes one that lies ready, or is made at once: by then nobody is asked anything any more. It finds nothing where a pod has to
   * wait, and throws what `acquire` throws.
   */
  async ready(wish: VifWish, signal: AbortSignal): Promise<() => Promise<PodInterface | undefined>> {
    const { vif, wanted } = await this.#wanted(wish, signal);
    return async () => {
      const { type, pool } = vif;
      const port = pool.takeReady(wanted) ?? (type.isInstant === true ? await pool.acquire(wanted, signal) : undefined);
      return port === undefined ? undefined : this.#given(vif, port, wish);
    };
  }

  /**
   * What stands in a KuryrPort, whoever wrote it: it is not given to anybody else from now on. False when somebody else holds it
   * too, which a controller can leave that was cut off while its last request was on its way.
   */
  claim({ node, holder, given }: Held): boolean {
    const vif = this.#vifs.get(kindOf(given));
    if (vif === undefined) return true;
    const holders = vif.given.get(given.id);
    if (holders === undefined) {
      const port = portOf(node, given);
      if (port !== undefined) vif.type.adopt?.([port]);
      vif.pool.claim(given.id);
    }
    hold(vif, given.id, holder);
    return vif.given.get(given.id)!.size === 1;
  }

  /** Its holder needs it no longer. False: others hold it still, or it is not ours, or was given back before. */
  release(given: PodInterface, holder: string): boolean {
    const vif = this.#vifs.get(kindOf(given));
    const holders = vif?.given.get(given.id);
    if (vif === undefined || holders === undefined || !holders.delete(holder) || holders.size > 0) return false;
    vif.given.delete(given.id);
    this.#groups.delete(given.id);
    return vif.pool.release(given.id);
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

  /** What somebody else gave other groups is compared again when its KuryrPort is looked at next. */
  #listed(ports: readonly PoolPort[]): void {
    for (const { id, groups } of ports)
      if (this.#groups.has(id) && this.#groups.get(id) !== wordOf(groups)) this.#groups.delete(id);
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
    const vif = this.#of(node);
    const { type, pool } = vif;
    const at = await type.at(node, signal);
    this.#leave(vif, node, at);
    await type.carries?.(node, subnet, signal);
    pool.want({ project: await type.project(project), at, network: subnet.networkId }, groups);
  }

  /** Resolves when no port that lies ready has it. */
  async releaseGroup(group: string): Promise<void> {
    for (const { pool } of this.#vifs.values()) await pool.releaseGroup(group);
  }

  async releaseNetwork(network: string): Promise<void> {
    for (const { pool } of this.#vifs.values()) await pool.releaseNetwork(network);
  }

  /** Of a cloud, in which there are ports of ours, or will be. */
  cloudNetworks(): ReadonlySet<string> {
    const pools = [...this.#vifs.values()].flatMap(({ type, pool }) => (type.kind === 'linux' ? [] : [pool]));
    return new Set(pools.flatMap((pool) => [...pool.networks()]));
  }

  /** The node is gone: what lies ready there is of no use. */
  async releaseNode(node: Node, signal: AbortSignal): Promise<void> {
    const { type, pool } = this.#of(node);
    await pool.releasePlace(await type.at(node, signal));
  }

  /** Told when ports lie ready that daemons of nodes are to plug. */
  onReady(listener: () => void): void {
    this.#onReady = listener;
  }

  /** The node whose daemon plugs what lies ready in the pool. Undefined where nobody does before a pod has it. */
  nodeOf(kind: VifKind, name: string): string | undefined {
    const { type, pool } = this.#vifs.get(kind) ?? {};
    const place = type?.ahead === undefined ? undefined : pool?.contents(name)?.place;
    return place === undefined ? undefined : type!.ahead!.nodeOf(place);
  }

  /** What lies ready in the pool, for the daemon of its node: the same in the same order. */
  async spares(kind: VifKind, name: string, signal: AbortSignal): Promise<readonly Spare[] | undefined> {
    const { type, pool } = this.#vifs.get(kind) ?? {};
    // A pool in which nothing is to lie has no spares either.
    if (type?.ahead === undefined || pool === undefined || this.#options.keep.maximum === 0) return undefined;
    const ready = pool.contents(name)?.ready ?? [];
    const told = ready.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, SPARES_MOST);
    return Promise.all(told.map((port) => type.ahead!.spare(port, signal)));
  }

  /** Of one pool by the name that its statistics have. False when there is none. */
  populate(kind: VifKind, name: string, count: number): boolean {
    return this.#vifs.get(kind)?.pool.populate(name, count) ?? false;
  }

  /** Gives up what lies ready there. */
  free(kind: VifKind, name: string): boolean {
    return this.#vifs.get(kind)?.pool.free(name) ?? false;
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

  async #wanted(
    { node, project, subnet, groups, owner }: VifWish,
    signal: AbortSignal,
  ): Promise<{ readonly vif: Vif; readonly wanted: PortWish }> {
    const vif = this.#of(node);
    const { type } = vif;
    const at = await type.at(node, signal);
    this.#leave(vif, node, at);
    await type.carries?.(node, subnet, signal);
    const whose = await type.project(project);
    const named = this.#options.names ? { owner } : {};
    return { vif, wanted: { project: whose, at, network: subnet.networkId, groups, ...named } };
  }

  #given(vif: Vif, port: PoolPort, wish: VifWish): PodInterface {
    hold(vif, port.id, wish.holder);
    this.#groups.set(port.id, wordOf(wish.groups));
    return interfaceOf(port, wish, vif.type);
  }

  /** Where the node was before it joined another host, nobody asks any more: what lies ready there goes. */
  #leave({ type, pool }: Vif, { metadata: { name } }: Node, at: string): void {
    const { ahead } = type;
    if (ahead === undefined) return;
    const left = pool.places().flatMap((place) => (place.at !== at && ahead.nodeOf(place) === name ? [place.at] : []));
    for (const one of new Set(left))
      pool.releasePlace(one).catch((error: unknown) => {
        this.#options.log.warn({ node: name, place: one, error: reportError(error) }, 'a pool was not given up');
      });
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

function hold({ given }: Vif, id: string, holder: string): void {
  const holders = given.get(id) ?? new Set<string>();
  given.set(id, holders.add(holder));
}

/** Of the built-in fabric, as it stands in a KuryrPort. */
function portOf(node: string, { id, mac, addresses }: PodInterface): PoolPort | undefined {
  const network = networkIn(id);
  // Somebody else's.
  if (network === undefined) return undefined;
  const plain = addresses.map((one) => one.split('/')[0]!);
  const place = { project: '', at: node, network };
  return { id, place, groups: [], owner: '', mac, addresses: plain, ready: true, used: false };
}

const wordOf = (groups: readonly string[]): string => groups.toSorted().join(',');

const KINDS = { ovs: 'neutron-vif', vlan: 'nested-vlan', macvlan: 'nested-macvlan', bridge: 'linux' } as const;
const kindOf = ({ plugging }: PodInterface): VifKind => KINDS[plugging.kind];

function interfaceOf(port: PoolPort, { subnet, isDefault, attached }: VifWish, type: VifType): PodInterface {
  const length = subnet.cidr.slice(subnet.cidr.indexOf('/'));
  return {
    id: port.id,
    mac: port.mac,
    // Prefixes are of IPv4.
    addresses: port.addresses.filter((address) => !address.includes(':')).map((address) => address + length),
    ...(subnet.gateway === undefined ? {} : { gateway: subnet.gateway }),
    routes: [...subnet.routes],
    mtu: subnet.mtu,
    active: type.activeAtOnce || port.active === true,
    isDefault,
    ...(attached === undefined ? {} : { network: attached }),
    plugging: type.plugging(port),
  };
}

/** The pool lists all ports now and then anyway: who else wants to know what they have asks for no list of its own. */
function toldOfLists(backend: PortsBackend, tell: (ports: readonly PoolPort[]) => void): PortsBackend {
  return {
    createMany: (...asked) => backend.createMany(...asked),
    update: (...asked) => backend.update(...asked),
    show: (...asked) => backend.show(...asked),
    remove: (...asked) => backend.remove(...asked),
    watch: (...asked) => backend.watch(...asked),
    isOverQuota: (error) => backend.isOverQuota(error),
    room: (...asked) => backend.room(...asked),
    list: async (signal) => {
      const ports = await backend.list(signal);
      tell(ports);
      return ports;
    },
  };
}
