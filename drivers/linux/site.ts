import { existsSync } from 'node:fs';
import { type Logger, reportError, SuperfluidityError } from '@superfluidity/core';
import type {
  BalancerSpec,
  FabricBackend,
  FabricCall,
  NetworkSpec,
  SiteLinkSpec,
  SitePath,
} from '@superfluidity/fabric';
import {
  LeaseFile,
  locatorPrefix,
  purgeScope,
  routerSid,
  RUN_FOLDER,
  type Scope,
  scopeOf,
} from '@superfluidity/router';
import {
  checkMetricsCall,
  type DataPlaneDump,
  Events,
  type Fingerprint,
  type OpenSite,
  type PoolClass,
  type PoolOrders,
  type PoolStatus,
  type SiteDriver,
  type SiteEvent,
  type UnitMetrics,
  type UnitOutcome,
  type UnitSpec,
  type UnitStatus,
} from '@superfluidity/site';
import { readConfig } from './config.ts';
import { readDataPlane } from './data-plane.ts';
import { describeMachine, environmentsHere } from './machine.ts';
import { readMetrics } from './metrics.ts';
import { MachineStorage } from './storage.ts';
import { Terminals } from './terminals.ts';
import { World, type WorldOptions } from './world.ts';

/** How often what runs is compared with what should run. */
const LOOK_MS = 200;
/** Links and proxies need no such haste. */
const LOOK_LINKS_EVERY = 10;

export class LinuxSite implements SiteDriver {
  readonly kind = 'linux';
  readonly name: string;
  readonly fabric: FabricBackend;
  readonly terminals: Terminals;
  readonly pools: PoolOrders;
  readonly #scope: Scope;
  readonly #options: WorldOptions;
  readonly #lease: LeaseFile;
  readonly #storage: MachineStorage;
  readonly #events = new Events();
  readonly #log: Logger;
  #world: { readonly owner: string | undefined; readonly value: World } | undefined;
  #takingOver: Promise<World> | undefined;
  readonly #timer: NodeJS.Timeout;
  #looks = 0;
  #looking = false;
  #closed = false;

  constructor(open: OpenSite) {
    const scope = scopeOf(open.id);
    this.name = open.name;
    this.#scope = scope;
    this.#log = open.log;
    this.#options = {
      scope,
      site: { id: open.id, name: open.name, stateFolder: open.stateFolder },
      ...readConfig(open.name, open.config),
      environments: environmentsHere,
      events: this.#events,
      clock: open.clock,
      log: open.log,
    };
    this.#lease = new LeaseFile(open.name, scope);
    this.#storage = new MachineStorage(RUN_FOLDER, open.stateFolder, open.clock);
    this.fabric = this.#fabric();
    this.terminals = new Terminals(scope, (unitId) => this.#view().units.terminalPlace(unitId));
    this.pools = {
      populate: async (name, count, call) => (await this.#inCharge(call)).units.populatePool(name, count),
      free: async (name, call) => (await this.#inCharge(call)).units.freePool(name),
    };
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  async fingerprint(): Promise<Fingerprint> {
    const { environments, capabilities } = await describeMachine();
    const { units } = this.#view();
    return {
      hosts: this.#options.hosts.map((host) => ({
        ...host,
        environments,
        accelerators: [],
        used: units.usedOn(host.name),
        schedulable: true,
      })),
      environments,
      storage: await this.#storage.read(() => units.storageByService()),
      capabilities: [
        ...capabilities,
        { name: 'data plane', present: true, note: 'is read back from the namespaces' },
        { name: 'terminal', present: true, note: 'into containers and processes, and serial consoles of machines' },
      ],
      balancing: ['linux'],
      qualities: ['bandwidth', 'dscp'],
      realPackets: true,
      locator: locatorPrefix(this.#scope),
      routerSid: routerSid(this.#scope),
    };
  }

  async ensureUnit(spec: UnitSpec, call: FabricCall): Promise<UnitStatus> {
    return (await this.#inCharge(call)).units.ensure(spec, call.signal);
  }

  async ensureUnits(specs: readonly UnitSpec[], call: FabricCall): Promise<readonly UnitOutcome[]> {
    return (await this.#inCharge(call)).units.ensureMany(specs, call.signal);
  }

  async drainUnit(id: string, call: FabricCall): Promise<void> {
    await (await this.#inCharge(call)).units.drain(id);
  }

  async removeUnit(id: string, call: FabricCall): Promise<void> {
    await (await this.#inCharge(call)).units.remove(id);
  }

  async removeUnits(ids: readonly string[], call: FabricCall): Promise<void> {
    const { units } = await this.#inCharge(call);
    const outcomes = await Promise.allSettled(ids.map((id) => units.remove(id)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async getUnit(id: string): Promise<UnitStatus | undefined> {
    return this.#view().units.get(id);
  }

  async listUnits(): Promise<readonly UnitStatus[]> {
    return this.#view().units.list();
  }

  async readOutput(id: string, offset: number): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    return this.#view().units.readOutput(id, offset);
  }

  async prepare(service: string, classes: readonly PoolClass[], call: FabricCall): Promise<void> {
    (await this.#inCharge(call)).units.prepare(service, classes);
  }

  async poolStatus(): Promise<readonly PoolStatus[]> {
    return this.#view().units.poolStatus();
  }

  readDataPlane(): Promise<DataPlaneDump> {
    const { slots, links } = this.#view();
    return readDataPlane(this.#scope, slots, links);
  }

  async readMetrics(ids: readonly string[]): Promise<readonly UnitMetrics[]> {
    checkMetricsCall(this.name, ids);
    return readMetrics(this.#scope, this.#view().slots, ids, this.#options.clock.now());
  }

  watch(signal: AbortSignal): AsyncIterable<SiteEvent> {
    return this.#events.read(signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.terminals.close();
    await this.#takingOver?.catch(() => {});
    await this.#world?.value.close();
    this.#world = undefined;
  }

  async purge(): Promise<readonly string[]> {
    await this.#takingOver?.catch(() => {});
    await this.terminals.close();
    const world = this.#world;
    this.#world = undefined;
    await world?.value.close();
    return purgeScope(this.#scope, this.#log);
  }

  /** What there is, for those who only look: ours while we are in charge, else as the files say now. */
  #view(): World {
    this.#refuseClosed();
    const owner = existsSync(this.#scope.folder) ? this.#lease.owner : undefined;
    if (this.#world !== undefined && this.#world.owner === owner && this.#lease.mine) return this.#world.value;
    return World.read(this.#options);
  }

  /** What there is, for those who change it. Takes over when somebody else was in charge. */
  async #inCharge(call: FabricCall): Promise<World> {
    this.#refuseClosed();
    const mine = this.#lease.claim(call);
    if (this.#takingOver !== undefined) return this.#takingOver;
    if (mine && this.#world !== undefined) return this.#world.value;
    const stale = this.#world;
    this.#world = undefined;
    const work = (async () => {
      await stale?.value.close();
      const value = await World.takeOver(this.#options);
      this.#world = { owner: this.#lease.owner, value };
      return value;
    })();
    this.#takingOver = work;
    try {
      return await work;
    } finally {
      this.#takingOver = undefined;
    }
  }

  #refuseClosed(): void {
    if (this.#closed) throw new SuperfluidityError('SF-LINUX-CLOSED', { reason: `site ${this.name} is closed` });
  }

  async #look(): Promise<void> {
    const world = this.#world;
    if (world === undefined || this.#looking) return;
    this.#looking = true;
    try {
      if (!this.#lease.mine) {
        // Replaced: the successor has the pools now. Ours must not fill them behind its back.
        this.#world = undefined;
        await world.value.close();
        return;
      }
      world.value.units.look();
      this.#looks += 1;
      if (this.#looks % LOOK_LINKS_EVERY !== 0) return;
      await world.value.links.look();
      await world.value.balancers.look();
    } catch (error) {
      this.#log.error({ site: this.name, error: reportError(error) }, 'looking after a site failed');
    } finally {
      this.#looking = false;
    }
  }

  #fabric(): FabricBackend {
    const world = (call: FabricCall) => this.#inCharge(call);
    return {
      ensureNetwork: async (spec: NetworkSpec, call) => {
        await (await world(call)).networks.ensure(spec);
        return undefined;
      },
      removeNetwork: async (id: string, call) => {
        const { units, networks } = await world(call);
        await units.releaseNetwork(id);
        await networks.remove(id);
      },
      listNetworks: async () => this.#view().networks.list(),
      ensureLink: async (spec: SiteLinkSpec, call) => (await world(call)).links.ensure(spec),
      removeLink: async (id: string, call) => (await world(call)).links.remove(id),
      ensurePath: async (path: SitePath, call) => (await world(call)).paths.ensure(path),
      activatePath: async (chainId, version, call) => (await world(call)).paths.activate(chainId, version),
      countFlows: (chainId, version) => this.#view().paths.countFlows(chainId, version),
      removePath: async (chainId, version, call) => (await world(call)).paths.remove(chainId, version),
      ensureBalancer: async (spec: BalancerSpec, call) => (await world(call)).balancers.ensure(spec),
      removeBalancer: async (id: string, call) => (await world(call)).balancers.remove(id),
    };
  }
}
