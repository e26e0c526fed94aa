import { SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import {
  checkMetricsCall,
  Events,
  type FenceGuard,
  type Fingerprint,
  type OpenSite,
  type PoolClass,
  type PoolOrders,
  type PoolStatus,
  type SiteDescription,
  type SiteDriver,
  type SiteEvent,
  type Tell,
  type UnitMetrics,
  type UnitOutcome,
  type UnitSpec,
  type UnitStatus,
} from '@superfluidity/site';
import { KubernetesBackend } from './backend.ts';
import { Cluster } from './cluster.ts';
import { type KubernetesConfig, LIMITS } from './config.ts';
import { describeCluster } from './describe.ts';
import { Discovery } from './discovery.ts';
import { fenceOf } from './fence.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Marks } from './marks.ts';
import { readMetrics } from './metrics/read.ts';
import { Networks } from './networks.ts';
import { Nodes } from './nodes.ts';
import type { Node } from './objects.ts';
import { ensureNamespace } from './openshift/project.ts';
import { KuryrPools } from './pools.ts';
import { purge } from './purge.ts';
import { Rights } from './rights.ts';
import { Balancers } from './services/balancers.ts';
import { PodTerminals } from './terminals.ts';
import { tellNode, tellPod } from './tell.ts';
import { Units } from './units.ts';
import { ObjectWatch } from './watch.ts';
import { UnitPods } from './workloads/pods.ts';
import { Replacements } from './workloads/replacements.ts';
import type { World } from './world.ts';

/** A namespace of a cluster. What runs in it is kept there, found by labels and annotations, and read from there. */
export class KubernetesSite implements SiteDriver {
  readonly kind = 'kubernetes';
  readonly name: string;
  readonly fabric: KubernetesBackend;
  readonly terminals: PodTerminals;
  readonly pools: PoolOrders;
  readonly #world: World;
  readonly #closed: AbortController;
  readonly #fence: FenceGuard;
  readonly #nodes: Nodes;
  readonly #units: Units;
  readonly #kuryr: KuryrPools;
  readonly #events = new Events();
  readonly #pods: UnitPods;
  readonly #balancers: Balancers;
  readonly #nodeWatch: ObjectWatch<Node>;

  static async open(options: OpenSite, config: KubernetesConfig): Promise<KubernetesSite> {
    const { id, name, clock, log } = options;
    const closed = new AbortController();
    const cluster = Cluster.open(name, config, clock);
    const world: World = {
      siteId: id,
      name,
      cluster,
      marks: new Marks(id),
      config,
      clock,
      log,
      rights: new Rights({ cluster, clock }),
      discovery: new Discovery({ cluster, clock }),
      ask: () => AbortSignal.any([closed.signal, AbortSignal.timeout(LIMITS.askMs)]),
    };
    await ensureNamespace(world);
    return new KubernetesSite(world, closed, await fenceOf(world));
  }

  constructor(world: World, closed: AbortController, fence: FenceGuard) {
    this.name = world.name;
    this.#world = world;
    this.#closed = closed;
    this.#fence = fence;
    const { cluster, marks } = world;
    const replacements = new Replacements({
      world,
      events: this.#events,
      isMaking: (id) => this.#units.isMaking(id),
      markReady: (pod, signal) => this.#units.markReady(pod, signal),
      hasObject: (record, signal) => this.#units.hasObject(record, signal),
    });
    this.#pods = new UnitPods({
      world,
      path: cluster.path('pods'),
      query: { labelSelector: marks.selector },
      onChange: (before, now) => {
        tellPod(this.#events, before, now);
        replacements.change(before, now);
      },
    });
    this.#nodeWatch = new ObjectWatch<Node>({
      world,
      path: '/api/v1/nodes',
      onChange: (before, now) => {
        this.#nodes.changed();
        tellNode(this.#events, before, now);
      },
    });
    const networks = new Networks(world);
    this.#balancers = new Balancers(world);
    this.#nodes = new Nodes(world);
    this.#units = new Units({
      world,
      nodes: this.#nodes,
      networks,
      pods: this.#pods,
      isInCharge: (seen) => seen >= this.#fence.highest,
    });
    this.terminals = new PodTerminals(world, (id) => this.#units.known(id, world.ask()));
    this.#kuryr = new KuryrPools(world);
    const { orders } = this.#kuryr;
    this.pools = {
      populate: async (pool, count, call) => {
        await this.#admit(call);
        return orders.populate(pool, count, call);
      },
      free: async (pool, call) => {
        await this.#admit(call);
        return orders.free(pool, call);
      },
    };
    this.fabric = new KubernetesBackend(world, networks, this.#balancers, (call) => this.#admit(call));
  }

  async fingerprint(): Promise<Fingerprint> {
    this.#refuseClosed();
    return fingerprintOf(this.#world, this.#nodes, this.#balancers);
  }

  async describe(): Promise<SiteDescription> {
    this.#refuseClosed();
    return describeCluster(this.#world);
  }

  async ensureUnit(spec: UnitSpec, call: FabricCall, tell?: Tell): Promise<UnitStatus> {
    await this.#admit(call);
    return this.#units.ensure(spec, { fence: call.fence, signal: call.signal, tell });
  }

  async ensureUnits(specs: readonly UnitSpec[], call: FabricCall, tell?: Tell): Promise<readonly UnitOutcome[]> {
    await this.#admit(call);
    return this.#units.ensureMany(specs, { fence: call.fence, signal: call.signal, tell });
  }

  async drainUnit(id: string, call: FabricCall): Promise<void> {
    await this.#admit(call);
    await this.#units.drain(id, call.signal);
  }

  removeUnit(id: string, call: FabricCall): Promise<void> {
    return this.removeUnits([id], call);
  }

  async removeUnits(ids: readonly string[], call: FabricCall): Promise<void> {
    await this.#admit(call);
    await this.#units.remove(ids, call.signal);
  }

  async getUnit(id: string): Promise<UnitStatus | undefined> {
    this.#refuseClosed();
    return this.#units.get(id, this.#world.ask());
  }

  async listUnits(): Promise<readonly UnitStatus[]> {
    this.#refuseClosed();
    return this.#units.list(this.#world.ask());
  }

  async readOutput(id: string, offset: number): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    this.#refuseClosed();
    return this.#units.readOutput(id, offset, this.#world.ask());
  }

  async readMetrics(ids: readonly string[]): Promise<readonly UnitMetrics[]> {
    this.#refuseClosed();
    checkMetricsCall(this.name, ids);
    const signal = this.#world.ask();
    return readMetrics(this.#world, ids, await this.#units.find(signal), signal);
  }

  /** Pods are made when they are asked for. */
  async prepare(_service: string, _classes: readonly PoolClass[], call: FabricCall): Promise<void> {
    await this.#admit(call);
  }

  /** Units are no pool's: these are interfaces of pods, where the cluster has Kuryr. */
  async poolStatus(): Promise<readonly PoolStatus[]> {
    this.#refuseClosed();
    return this.#kuryr.status(this.#world.ask());
  }

  watch(signal: AbortSignal): AsyncIterable<SiteEvent> {
    this.#refuseClosed();
    this.#pods.start();
    this.#nodeWatch.start();
    return this.#events.read(AbortSignal.any([signal, this.#closed.signal]));
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    await this.#units.close();
    await this.terminals.close();
    this.#closed.abort();
    await Promise.all([this.#pods.stop(), this.#nodeWatch.stop()]);
  }

  async purge(): Promise<readonly string[]> {
    this.#refuseClosed();
    const removed = await purge(this.#world, this.#units);
    this.#nodes.changed();
    return removed;
  }

  async #admit(call: FabricCall): Promise<void> {
    this.#refuseClosed();
    if (call.signal.aborted)
      throw new SuperfluidityError('SF-CORE-CANCELLED', { doing: `act on ${this.name}`, reason: 'cancelled' });
    await this.#fence.admit(call);
  }

  #refuseClosed(): void {
    if (this.#closed.signal.aborted)
      throw new SuperfluidityError('SF-KUBE-CLOSED', { reason: `site ${this.name} is closed` });
  }
}
