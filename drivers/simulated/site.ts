import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import { type Environment, environments, portQualities } from '@superfluidity/model';
import {
  checkMetricsCall,
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
import type { Act, Refused, Reserved } from './commands.ts';
import { limits, type SimulatedConfig } from './config.ts';
import { EventQueue } from './event-queue.ts';
import { SimulatedFabric } from './fabric.ts';
import { type Fate, fateOf } from './fate.ts';
import { metricsOf } from './metrics.ts';
import { measureChains } from './path-latency.ts';
import { SitePools } from './pools.ts';
import { sampleLatency } from './random.ts';
import { neighbours, type SharedSite } from './shared-site.ts';
import { statusOf } from './state.ts';
import { storageOf } from './storage.ts';
import { readTelemetry } from './telemetry.ts';
import { SimulatedTerminals } from './terminals.ts';

/** A connection to a simulated site. */
export class SimulatedSite implements SiteDriver {
  readonly name: string;
  readonly kind = 'simulated';
  readonly fabric: SimulatedFabric;
  readonly terminals: SimulatedTerminals;
  readonly pools: PoolOrders;
  readonly #options: OpenSite;
  readonly #config: SimulatedConfig;
  readonly #shared: SharedSite;
  readonly #pools: SitePools;
  readonly #closed = new AbortController();

  constructor(options: OpenSite, config: SimulatedConfig, shared: SharedSite) {
    this.name = options.name;
    this.#options = options;
    this.#config = config;
    this.#shared = shared;
    this.fabric = new SimulatedFabric(shared, config, options.clock, () => neighbours(options.stateFolder));
    this.terminals = new SimulatedTerminals(options.name, shared);
    this.#pools = new SitePools(config, options);
    this.pools = {
      populate: async (name, count, call) => {
        this.#checkCall(call);
        return this.#pools.populate(name, count);
      },
      free: async (name, call) => {
        this.#checkCall(call);
        return this.#pools.free(name);
      },
    };
    for (const [service, classes] of shared.state.pools) this.#pools.prepare(service, classes);
    for (const failure of config.failures.hosts) this.#scheduleFailure(failure);
  }

  async fingerprint(): Promise<Fingerprint> {
    this.#shared.refresh();
    const { state } = this.#shared;
    const hosts = state.allHosts();
    const offered = new Set<Environment>();
    for (const host of hosts) for (const one of host.environments) offered.add(one);
    return {
      hosts,
      environments: environments.filter((one) => offered.has(one)),
      ...(this.#config.storage.length === 0 ? {} : { storage: storageOf(this.#config.storage, state) }),
      capabilities: [
        {
          name: 'packets',
          present: false,
          note: 'simulated: no packet is sent, latency is that of the declared links',
        },
        { name: 'data plane', present: false, note: 'simulated: there are no rules and routes to read back' },
        { name: 'terminal', present: true, note: 'simulated: the driver itself answers a few commands' },
      ],
      balancing: ['simulated'],
      qualities: portQualities,
      realPackets: false,
      locator: state.fabric.locator,
      routerSid: state.fabric.routerSid,
    };
  }

  async ensureUnit(spec: UnitSpec, call: FabricCall): Promise<UnitStatus> {
    const [outcome] = await this.ensureUnits([spec], call);
    if (outcome?.ok === true) return outcome.status;
    throw outcome?.error;
  }

  async ensureUnits(specs: readonly UnitSpec[], call: FabricCall): Promise<readonly UnitOutcome[]> {
    this.#checkCall(call);
    if (specs.length > limits.unitsPerCall) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `start ${specs.length} units on ${this.name}`,
        reason: `a call takes ${limits.unitsPerCall} units at most`,
      });
    }
    this.#shared.refresh();
    const pooled = specs.map((spec) => !this.#shared.state.units.has(spec.id) && this.#pools.take(spec));
    const reserved = this.#commit(call, { verb: 'reserve', specs, pooled })!;
    const failures = new Map<number, unknown>();
    const starting: Starting[] = [];
    for (const [index, one] of reserved.entries()) {
      const spec = specs[index]!;
      if (one.kind === 'refused') failures.set(index, this.#startError(spec, one));
      if (one.kind !== 'start') continue;
      starting.push({ index, id: spec.id, fate: fateOf(this.#config, spec, one.attempt, pooled[index]!) });
    }
    await this.#start(starting, specs, failures, call);
    return specs.map((spec, index) => this.#outcome(spec, failures.get(index)));
  }

  async drainUnit(id: string, call: FabricCall): Promise<void> {
    this.#checkCall(call);
    this.#commit(call, { verb: 'drain', id });
  }

  removeUnit(id: string, call: FabricCall): Promise<void> {
    return this.removeUnits([id], call);
  }

  async removeUnits(ids: readonly string[], call: FabricCall): Promise<void> {
    this.#checkCall(call);
    await this.#wait(sampleLatency(this.#config.latency.remove, this.#config.seed, 'remove', call.key), call);
    this.#commit(call, { verb: 'remove', ids });
  }

  async getUnit(id: string): Promise<UnitStatus | undefined> {
    this.#shared.refresh();
    return this.#shared.state.status(id);
  }

  async listUnits(): Promise<readonly UnitStatus[]> {
    this.#shared.refresh();
    return [...this.#shared.state.units.values()].map(statusOf);
  }

  async readOutput(id: string, offset: number): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    this.#shared.refresh();
    const unit = this.#shared.state.units.get(id);
    if (unit === undefined) {
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', {
        doing: `read the output of ${id} on ${this.name}`,
        reason: 'there is no such unit',
      });
    }
    return readTelemetry(unit, this.#shared.state.fabric, this.#config, this.#options.clock.now(), offset);
  }

  async readMetrics(ids: readonly string[]): Promise<readonly UnitMetrics[]> {
    checkMetricsCall(this.name, ids);
    this.#shared.refresh();
    const now = this.#options.clock.now();
    return ids
      .map((id) => this.#shared.state.units.get(id))
      .filter((unit) => unit !== undefined && (unit.state === 'running' || unit.state === 'draining'))
      .map((unit) => metricsOf(unit!, this.#config, now));
  }

  async prepare(service: string, classes: readonly PoolClass[], call: FabricCall): Promise<void> {
    this.#checkCall(call);
    this.#commit(call, { verb: 'prepare', service, classes });
    this.#pools.prepare(service, classes);
  }

  async poolStatus(): Promise<readonly PoolStatus[]> {
    return this.#pools.status();
  }

  /** Sees what other processes do only as often as `limits.pollMs` when the site is in a file. */
  async *watch(signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const queue = new EventQueue(limits.eventsQueued);
    const push = (event: SiteEvent) => queue.push(event);
    const stops = [this.#shared.listen(push), this.#pools.listen(push)];
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    if (this.#shared.persistent) void this.#poll(ended);
    try {
      yield* queue.read(ended);
    } finally {
      for (const stop of stops) stop();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.terminals.close();
    await this.#pools.close();
  }

  async purge(): Promise<readonly string[]> {
    this.#shared.refresh();
    const { units, fabric } = this.#shared.state;
    const removed = [
      ...[...units.keys()].map((id) => `unit ${id}`),
      ...[...fabric.networks.keys()].map((id) => `network ${id}`),
      ...[...fabric.links.keys()].map((id) => `link ${id}`),
      ...[...fabric.chains.keys()].map((id) => `chain ${id}`),
      ...[...fabric.balancers.keys()].map((id) => `balancer ${id}`),
    ];
    await this.terminals.close();
    await this.#pools.drain();
    this.#shared.commit({ kind: 'purge', atMs: this.#options.clock.now() });
    return removed;
  }

  /** The unit ends by itself, as after `kill -9`: it is listed as failed until it is removed or ensured anew. */
  crashUnit(id: string, reason = 'killed by signal 9'): void {
    this.#shared.commit({ kind: 'crash', id, reason, atMs: this.#options.clock.now() });
    this.#measure();
  }

  /** A host that goes down takes its units with it. */
  setHost(host: string, up: boolean): void {
    this.#shared.commit({ kind: 'host', host, up, atMs: this.#options.clock.now() });
    this.#measure();
  }

  /** Those that will run and those that will not wait for their own kind only. Whoever fails is removed again. */
  async #start(
    starting: readonly Starting[],
    specs: readonly UnitSpec[],
    failures: Map<number, unknown>,
    call: FabricCall,
  ): Promise<void> {
    const good = starting.filter(({ fate }) => fate.failure === undefined);
    const bad = starting.filter(({ fate }) => fate.failure !== undefined);
    const finish = async (some: readonly Starting[], act: Act) => {
      if (some.length === 0) return;
      await this.#wait(slowest(some), call);
      this.#commit(call, act);
    };
    for (const { index, fate } of bad) failures.set(index, this.#startError(specs[index]!, fate.failure!));
    const results = await Promise.allSettled([
      finish(good, { verb: 'settle', ids: good.map((one) => one.id) }),
      finish(bad, { verb: 'remove', ids: bad.map((one) => one.id) }),
    ]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return;
    this.#undo(starting, call);
    throw failure.reason;
  }

  /** After a cancellation. When the caller was replaced meanwhile, the units are its successor's. */
  #undo(starting: readonly Starting[], call: FabricCall): void {
    try {
      this.#commit(call, { verb: 'remove', ids: starting.map((one) => one.id) });
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-SITE-FENCED')) throw error;
    }
  }

  #outcome(spec: UnitSpec, error: unknown): UnitOutcome {
    if (error !== undefined) return { ok: false, error };
    const status = this.#shared.state.status(spec.id);
    if (status !== undefined && status.state !== 'failed') return { ok: true, status };
    const reason = status?.error?.message ?? 'it was removed while it started';
    return { ok: false, error: this.#startError(spec, { code: 'SF-SITE-UNIT-FAILED', reason }) };
  }

  #startError(spec: UnitSpec, { code, reason }: Omit<Refused, 'kind'>): SuperfluidityError {
    return new SuperfluidityError(code, {
      doing: `start unit ${spec.path} on ${this.name}/${spec.host}`,
      reason,
      data: { unit: spec.id, site: this.name, host: spec.host },
    });
  }

  #commit(call: FabricCall, act: Act): readonly Reserved[] | undefined {
    const { key, fence } = call;
    const outcome = this.#shared.commit({ kind: 'call', key, fence, atMs: this.#options.clock.now(), act });
    if (act.verb === 'settle' || act.verb === 'remove') this.#measure();
    return outcome;
  }

  #measure(): void {
    measureChains(neighbours(this.#options.stateFolder), this.#options.clock.now());
  }

  /** No timer when there is nothing to wait for: a hundred thousand units start in one turn. */
  async #wait(ms: number, call: FabricCall): Promise<void> {
    if (ms > 0) await this.#options.clock.sleep(ms, AbortSignal.any([call.signal, this.#closed.signal]));
  }

  #checkCall(call: FabricCall): void {
    if (this.#closed.signal.aborted) {
      throw new SuperfluidityError('SF-SITE-UNAVAILABLE', { doing: `act on ${this.name}`, reason: 'it was closed' });
    }
    if (call.signal.aborted) {
      throw new SuperfluidityError('SF-CORE-CANCELLED', { doing: `act on ${this.name}`, reason: 'cancelled' });
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#options.clock.sleep(limits.pollMs, signal);
        this.#shared.refresh();
      }
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.error({ site: this.name, error }, 'changes of other servers are not seen any more');
    }
  }

  #scheduleFailure(failure: SimulatedConfig['failures']['hosts'][number]): void {
    const at = (ms: number, up: boolean) =>
      this.#options.clock.sleep(ms, this.#closed.signal).then(
        () => this.setHost(failure.host, up),
        () => {},
      );
    void at(failure.downAtMs, false);
    if (failure.upAtMs !== undefined) void at(failure.upAtMs, true);
  }
}

interface Starting {
  /** In the list of specs. */
  readonly index: number;
  readonly id: string;
  readonly fate: Fate;
}

function slowest(starting: readonly Starting[]): number {
  return starting.reduce((most, { fate }) => Math.max(most, fate.afterMs), 0);
}
