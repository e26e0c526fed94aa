import { SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import {
  checkMetricsCall,
  type DataPlaneFile,
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
  type UnitMetrics,
  type UnitOutcome,
  type UnitSpec,
  type UnitStatus,
} from '@superfluidity/site';
import { LIMITS, type OpenstackConfig } from './config.ts';
import { describeCloud } from './describe.ts';
import { fenceOf } from './fence-file.ts';
import { Fingerprints } from './fingerprint.ts';
import { Flavors } from './flavors.ts';
import { ServerGroups } from './groups.ts';
import { directCarrier } from './heat/carrier.ts';
import { HeatStacks } from './heat/stacks.ts';
import { Hosts } from './hosts.ts';
import { Images } from './images.ts';
import { Marks } from './marks.ts';
import { readMetrics } from './metrics.ts';
import { mistralCarrier } from './mistral/stack-carrier.ts';
import { MistralWorkflows } from './mistral/workflows.ts';
import { NeutronBackend } from './neutron/backend.ts';
import { NeutronChains } from './neutron/chains.ts';
import { DirectPorts } from './neutron/direct-ports.ts';
import { PoolFile } from './neutron/pool-file.ts';
import { PooledPorts } from './neutron/pooled-ports.ts';
import { FloatingIps } from './neutron/floating-ips.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { LetInParts } from './gateway/let-in.ts';
import { readIntent } from './neutron/intent.ts';
import { Networks } from './neutron/networks.ts';
import type { PortSource } from './neutron/port-source.ts';
import { PortQos } from './neutron/qos.ts';
import { SecurityGroups } from './neutron/security-groups.ts';
import { OctaviaBalancers } from './octavia/balancers.ts';
import { NotificationListener } from './notifications/listener.ts';
import { openCloud } from './open-cloud.ts';
import { purge } from './purge.ts';
import { Servers } from './servers.ts';
import { CloudTerminals } from './terminals.ts';
import { UnitPorts } from './unit-ports.ts';
import { Units } from './units.ts';
import { Uploads } from './upload.ts';
import { Watch } from './watch.ts';
import type { World } from './world.ts';

/** A project of a cloud. What runs in it is kept there, found by tags and metadata, and read from there each time. */
export class OpenstackSite implements SiteDriver {
  readonly kind = 'openstack';
  readonly name: string;
  readonly fabric: NeutronBackend;
  readonly terminals: CloudTerminals;
  readonly pools: PoolOrders;
  readonly #world: World;
  readonly #fence: FenceGuard;
  readonly #closed: AbortController;
  readonly #fingerprints: Fingerprints;
  readonly #ports: PortSource;
  readonly #units: Units;
  readonly #watch: Watch;
  readonly #listener: NotificationListener | undefined;
  readonly #describe: () => Promise<SiteDescription>;
  readonly #stacks: HeatStacks;
  readonly #workflows: MistralWorkflows;
  /** Capabilities that the cloud does not have. */
  #absent: ReadonlySet<string> = new Set();
  readonly #purge: () => Promise<readonly string[]>;

  static async open(options: OpenSite, config: OpenstackConfig): Promise<OpenstackSite> {
    const { id, name, stateFolder, clock, log } = options;
    const closed = new AbortController();
    const world: World = {
      siteId: id,
      name,
      cloud: await openCloud(name, config, clock, log),
      marks: new Marks(id),
      config,
      clock,
      log,
      ask: () => AbortSignal.any([closed.signal, AbortSignal.timeout(LIMITS.askMs)]),
    };
    // What it needs of the machine is loaded where there is one.
    const { gateway } = config;
    const module = gateway === undefined ? undefined : await import('./gateway/gateway.ts');
    const makeGateway = (parts: LetInParts) => module && new module.Gateway(parts, gateway!, stateFolder);
    return new OpenstackSite(world, closed, fenceOf(id, name, stateFolder), new PoolFile(id, stateFolder), makeGateway);
  }

  constructor(
    world: World,
    closed: AbortController,
    fence: FenceGuard,
    poolFile: PoolFile,
    makeGateway: (parts: LetInParts) => Gateway | undefined,
  ) {
    this.name = world.name;
    this.#world = world;
    this.#closed = closed;
    this.#fence = fence;
    const events = new Events();
    const hosts = new Hosts(world);
    const networks = new Networks(world);
    const groups = new SecurityGroups(world);
    const qos = new PortQos(world);
    const ports = new PooledPorts({
      world,
      file: poolFile,
      networks,
      groups,
      direct: new DirectPorts(world, networks, groups, qos),
      inServers: async (signal) =>
        new Set((await this.#units.records(signal)).flatMap((record) => record.ports.map(({ portId }) => portId))),
    });
    const serverGroups = new ServerGroups(world);
    const flavors = new Flavors(world);
    const admit = (call: FabricCall) => this.#admit(call);
    const servers = new Servers(world);
    const uploads = new Uploads(world);
    const images = new Images(world, uploads);
    this.#ports = ports;
    const balancers = new OctaviaBalancers(world, networks);
    this.pools = {
      populate: async (pool, count, call) => {
        await this.#admit(call);
        return ports.orders.populate(pool, count, call);
      },
      free: async (pool, call) => {
        await this.#admit(call);
        return ports.orders.free(pool, call);
      },
    };
    this.#units = new Units({
      world,
      hosts,
      flavors,
      images,
      groups: serverGroups,
      ports,
      floatingIps: new FloatingIps(world, networks),
      servers,
      events,
      isInCharge: (fence) => fence >= this.#fence.highest,
      driftOf: (unitId) => this.#watch.driftOf(unitId),
    });
    const unitPorts = new UnitPorts(world, this.#units);
    const gateway = makeGateway({ world, networks, groups, ports: unitPorts });
    this.#fingerprints = new Fingerprints({ world, hosts, balancers, gateway, notified: () => this.#listener?.state });
    this.#watch = new Watch({ world, units: this.#units, hosts, ports, gateway, events, closed: closed.signal });
    const { notifications } = world.config;
    if (notifications !== undefined)
      this.#listener = new NotificationListener({
        site: world.name,
        config: notifications,
        project: async () => (await world.cloud.session()).projectId,
        wake: () => this.#watch.poke(),
        log: world.log,
      });
    const chains = new NeutronChains(world.cloud, world.siteId, unitPorts);
    this.#describe = () => describeCloud(world, flavors);
    const purgeStacks = async (signal: AbortSignal) => (await this.stacks?.purge(signal)) ?? [];
    this.#purge = () =>
      purge({
        world,
        uploads,
        chains,
        gateway,
        balancers,
        steers: () => this.#fingerprints.has('sfc'),
        units: this.#units,
        servers,
        serverGroups,
        networks,
        groups,
        qos,
        ports,
        flavors,
        purgeStacks,
      });
    this.#workflows = new MistralWorkflows(world, admit);
    const carrier = world.config.deploy === 'mistral' ? mistralCarrier(world, this.#workflows) : directCarrier(world);
    const dressing = { world, hosts, flavors, images, groups: serverGroups, networks };
    this.#stacks = new HeatStacks({
      ...dressing,
      units: this.#units,
      carrier,
      admit,
      changed: async (call) => gateway?.settle(call),
    });
    this.terminals = new CloudTerminals(world, (id) => this.#units.get(id, world.ask()));
    this.fabric = new NeutronBackend({
      world,
      networks,
      groups,
      ports,
      chains,
      balancers,
      gateway,
      steers: () => this.#fingerprints.has('sfc'),
      admit,
    });
  }

  async fingerprint(): Promise<Fingerprint> {
    this.#refuseClosed();
    const print = await this.#fingerprints.read();
    this.#absent = new Set(print.capabilities.flatMap(({ name, present }) => (present ? [] : [name])));
    return print;
  }

  /** Absent once the catalogue is known to have no Heat. */
  get stacks(): HeatStacks | undefined {
    return this.#absent.has('orchestration') ? undefined : this.#stacks;
  }

  /** Absent once the catalogue is known to have no Mistral. */
  get workflows(): MistralWorkflows | undefined {
    return this.#absent.has('workflow') ? undefined : this.#workflows;
  }

  describe(): Promise<SiteDescription> {
    this.#refuseClosed();
    return this.#describe();
  }

  async ensureUnit(spec: UnitSpec, call: FabricCall): Promise<UnitStatus> {
    await this.#admit(call);
    return this.#units.ensure(spec, call.fence, call.signal);
  }

  async ensureUnits(specs: readonly UnitSpec[], call: FabricCall): Promise<readonly UnitOutcome[]> {
    await this.#admit(call);
    return this.#units.ensureMany(specs, call.fence, call.signal);
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

  async prepare(service: string, classes: readonly PoolClass[], call: FabricCall): Promise<void> {
    await this.#admit(call);
    this.#ports.prepare(service, classes);
  }

  async poolStatus(): Promise<readonly PoolStatus[]> {
    return this.#ports.status();
  }

  async readMetrics(ids: readonly string[]): Promise<readonly UnitMetrics[]> {
    checkMetricsCall(this.name, ids);
    this.#refuseClosed();
    return readMetrics(this.#world, ids, await this.#units.records(this.#world.ask()));
  }

  async readIntent(): Promise<readonly DataPlaneFile[]> {
    this.#refuseClosed();
    return readIntent(this.#world, this.#world.ask());
  }

  watch(signal: AbortSignal): AsyncIterable<SiteEvent> {
    return this.#watch.events(signal);
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    await this.#listener?.close();
    await this.#units.close();
    await this.#ports.close();
    this.#closed.abort();
    await this.#world.cloud.close();
  }

  async purge(): Promise<readonly string[]> {
    this.#refuseClosed();
    return this.#purge();
  }

  async #admit(call: FabricCall): Promise<void> {
    this.#refuseClosed();
    if (call.signal.aborted)
      throw new SuperfluidityError('SF-CORE-CANCELLED', { doing: `act on ${this.name}`, reason: 'cancelled' });
    await this.#fence.admit(call);
  }

  #refuseClosed(): void {
    if (this.#closed.signal.aborted)
      throw new SuperfluidityError('SF-CLOUD-CLOSED', { reason: `site ${this.name} is closed` });
  }
}
