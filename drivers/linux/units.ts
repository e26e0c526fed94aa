import {
  canonicalJson,
  type Clock,
  isSuperfluidityError,
  type Logger,
  reportError,
  SuperfluidityError,
} from '@superfluidity/core';
import { exactly, Pool } from '@superfluidity/fabric';
import type { Environment } from '@superfluidity/model';
import { Records, type Scope } from '@superfluidity/router';
import type { Events, PoolClass, PoolStatus, UnitOutcome, UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { brief, foreground, lasting } from './foreground.ts';
import { awaitHealthy, HEALTH_DEFAULT } from './health.ts';
import { readOutputFile, trimOutput } from './output.ts';
import { slotKey, type SlotRecord, type Slots, type SlotWish, templateOf } from './slots.ts';
import type { TerminalPlace } from './terminals.ts';
import { addServiceAddresses } from './wiring.ts';
import { endOf, limitProcessor, outputPath, drainWorkload, startWorkload, writeFacts } from './workload.ts';

/** How many slots are made at once: on request, and in the background. */
const BUILDS_MAX = 8;
const REFILLS_MAX = 2;
const REFILL_TIMEOUT_MS = 90_000;
const POOL_SIZE_MAX = 1000;
const BACK_OFF = { delayMs: 500, factor: 2, delayMaxMs: 30_000 };
/** How long a unit that has just been started may use a whole processor to begin, if it gets less afterwards. */
const BEGIN_MS = 1_000;
/** What a cancelled call may still take to tidy up is bounded by the time limits of what it does. */
interface InFlight {
  readonly spec: string;
  readonly cancel: AbortController;
  readonly done: Promise<UnitStatus>;
}

export interface UnitsOptions {
  readonly scope: Scope;
  readonly slots: Slots;
  readonly environments: () => Promise<readonly Environment[]>;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The units of a site: from the pool where one lies ready, else made on the spot. */
export class Units {
  readonly #options: UnitsOptions;
  readonly #slots: Slots;
  readonly #pool: Pool<SlotWish, SlotRecord>;
  readonly #classes: Records<readonly PoolClass[]>;
  /** Unit id -> slot id. */
  readonly #byUnit = new Map<string, string>();
  readonly #inFlight = new Map<string, InFlight>();
  readonly #trimmed = new Map<string, number>();
  /** Slots of units that have just begun. */
  readonly #beginning = new Map<string, NodeJS.Timeout>();
  #building = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: UnitsOptions) {
    this.#options = options;
    this.#slots = options.slots;
    this.#classes = new Records(`${options.scope.folder}/pools`, options.log);
    for (const { unit, slot } of this.#slots.records()) if (unit !== undefined) this.#byUnit.set(unit.spec.id, slot.id);
    this.#pool = new Pool<SlotWish, SlotRecord>({
      clock: options.clock,
      log: options.log,
      make: async ({ wanted }, ready, signal) => {
        const isMachine = wanted.template.execution.environment === 'vm';
        await foreground.turn(signal, isMachine ? lasting : brief);
        ready(await this.#slots.build(wanted, signal, () => foreground.turn(signal)));
      },
      destroy: (record) => this.#slots.destroy(record),
      usable: (record) => endOf(this.#slots.context(record), record.workload!) === undefined,
      concurrency: REFILLS_MAX,
      makeTimeoutMs: REFILL_TIMEOUT_MS,
      backOff: BACK_OFF,
      stopwatch: () => performance.now(),
      onChange: (counts) =>
        options.events.emit({ kind: 'pool', pool: { ...counts, name: this.#poolName(counts.name) } }),
    });
  }

  /** To be called once by whoever is in charge of the site: pools go on with what lies ready. */
  recover(): void {
    const wanted = new Set(this.#classes.values().flatMap((classes) => classes.map(keyOfClass)));
    for (const record of this.#slots.records()) {
      // Whoever started it may not have come to it.
      if (record.phase === 'unit') this.#limit(record.slot.id);
      if (record.phase !== 'ready') continue;
      const usable = record.workload !== undefined && endOf(this.#slots.context(record), record.workload) === undefined;
      if (usable && wanted.has(record.key)) {
        this.#pool.adopt(record.key, { template: record.template, ports: record.ports }, record);
      } else {
        this.#slots.destroy(record).catch((error: unknown) => {
          this.#options.log.error({ error: reportError(error) }, 'a slot that nobody wants could not be removed');
        });
      }
    }
    this.#resize(new Set());
  }

  get(id: string): UnitStatus | undefined {
    const slot = this.#byUnit.get(id);
    const record = slot === undefined ? undefined : this.#slots.get(slot);
    return record === undefined || record.phase === 'starting' ? undefined : this.#slots.status(record);
  }

  list(): readonly UnitStatus[] {
    return [...this.#byUnit.keys()].map((id) => this.get(id)).filter((status) => status !== undefined);
  }

  /** What units take of a host. What lies in pools can be given up, so it does not count. */
  usedOn(host: string): { readonly cpu: number; readonly memoryMiB: number; readonly storageMiB: number } {
    const sum = { cpu: 0, memoryMiB: 0, storageMiB: 0 };
    for (const { unit } of this.#slots.records()) {
      if (unit === undefined || unit.spec.host !== host) continue;
      sum.cpu += unit.spec.cpu;
      sum.memoryMiB += unit.spec.memoryMiB;
      sum.storageMiB += unit.spec.storageMiB;
    }
    return sum;
  }

  /** What units were given of the storage of the machine. */
  storageByService(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { unit } of this.#slots.records()) {
      if (unit === undefined || unit.spec.storageMiB === 0) continue;
      sums.set(unit.spec.service, (sums.get(unit.spec.service) ?? 0) + unit.spec.storageMiB);
    }
    return sums;
  }

  async ensure(spec: UnitSpec, signal: AbortSignal): Promise<UnitStatus> {
    const doing = `create unit ${spec.path} on ${spec.host}`;
    const text = canonicalJson(spec);
    const running = this.#inFlight.get(spec.id);
    if (running !== undefined) {
      if (running.spec !== text) throw conflict(doing, spec.id);
      return running.done;
    }
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const cancel = new AbortController();
    const either = AbortSignal.any([signal, cancel.signal]);
    const done = foreground
      .during(() => this.#ensure(doing, spec, text, either))
      .catch((error: unknown) => {
        throw explained(doing, error);
      })
      .finally(() => this.#inFlight.delete(spec.id));
    this.#inFlight.set(spec.id, { spec: text, cancel, done });
    return done;
  }

  async ensureMany(specs: readonly UnitSpec[], signal: AbortSignal): Promise<readonly UnitOutcome[]> {
    return Promise.all(
      specs.map((spec) =>
        this.ensure(spec, signal).then(
          (status): UnitOutcome => ({ ok: true, status }),
          (error: unknown): UnitOutcome => ({ ok: false, error }),
        ),
      ),
    );
  }

  async #ensure(doing: string, spec: UnitSpec, text: string, signal: AbortSignal): Promise<UnitStatus> {
    const known = this.#recordOf(spec.id);
    if (known?.unit !== undefined) {
      if (canonicalJson(known.unit.spec) !== text) throw conflict(doing, spec.id);
      const alive = known.unit.state !== 'failed' && known.unit.state !== 'stopped';
      if (alive && endOf(this.#slots.context(known), known.workload!) === undefined) return this.#slots.status(known)!;
      await this.#remove(known);
    }
    await this.#check(doing, spec);
    const wish = templateOf(spec);
    const fixed = spec.ports.some((port) => port.address !== undefined || port.mac !== undefined);
    const key = slotKey(wish.template, wish.ports);
    const pooled = fixed ? undefined : this.#pool.take(key);
    if (fixed) for (const { network, address } of spec.ports) await this.release(network, address);
    const startedMs = performance.now();
    const record = pooled ?? (await this.#build(wish, signal));
    if (pooled === undefined && !fixed) this.#pool.waited(key, performance.now() - startedMs);
    return this.#start(doing, record, { spec, state: 'running', pooled: pooled !== undefined }, signal);
  }

  async #check(doing: string, spec: UnitSpec): Promise<void> {
    const { config } = this.#slots.host(spec.host);
    const { environment } = spec.execution;
    const offered = await this.#options.environments();
    if (!offered.includes(environment)) {
      throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
        doing,
        reason: `this site cannot run units of environment '${environment}'`,
        data: { environment, offered },
      });
    }
    const used = this.usedOn(spec.host);
    for (const what of ['cpu', 'memoryMiB', 'storageMiB'] as const) {
      if (used[what] + spec[what] <= config[what]) continue;
      throw new SuperfluidityError('SF-SITE-NO-CAPACITY', {
        doing,
        reason: `${spec[what]} ${what} are asked for, ${config[what] - used[what]} of ${config[what]} are free`,
        data: { host: spec.host, what, asked: spec[what], used: used[what], total: config[what] },
      });
    }
  }

  /** The pool holds addresses that somebody may ask for by name: then it gives them up. */
  async release(network: string, address: string | undefined): Promise<void> {
    for (const record of this.#slots.records()) {
      if (record.phase !== 'ready') continue;
      if (!record.slot.ports.some((port) => port.network === network && port.address === address)) continue;
      if (this.#pool.discard(record.key, record)) await this.#slots.destroy(record);
    }
  }

  /** Bounded: a burst waits its turn instead of forking a hundred runtimes at once. */
  async #build(wish: SlotWish, signal: AbortSignal): Promise<SlotRecord> {
    if (this.#building >= BUILDS_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#building += 1;
    try {
      return await this.#slots.build(wish, signal);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#building -= 1;
      else next();
    }
  }

  async #start(
    doing: string,
    ready: SlotRecord,
    unit: NonNullable<SlotRecord['unit']>,
    signal: AbortSignal,
  ): Promise<UnitStatus> {
    const { spec } = unit;
    const context = this.#slots.context(ready);
    try {
      let record = this.#slots.put({ ...ready, phase: 'starting', unit: { ...unit, state: 'starting' } });
      this.#byUnit.set(spec.id, ready.slot.id);
      writeFacts(context.folder, spec.facts);
      addServiceAddresses(
        ready.slot,
        spec.ports.flatMap((port) => port.serviceAddresses),
      );
      const workload = await startWorkload(context, ready.workload!, spec.facts, signal);
      this.#beginning.set(
        ready.slot.id,
        setTimeout(() => this.#limit(ready.slot.id), BEGIN_MS),
      );
      record = { ...record, workload };
      await awaitHealthy(
        doing,
        spec.execution.health ?? HEALTH_DEFAULT,
        {
          namespace: this.#slots.host(spec.host).namespace,
          address: ready.slot.ports[0]?.address ?? '127.0.0.1',
          ended: () => endOf(context, workload),
        },
        signal,
      );
      record = this.#slots.put({ ...record, phase: 'unit', unit });
      this.#emit(spec.id, 'running');
      return this.#slots.status(record)!;
    } catch (error) {
      const output = tail(outputPath(context.folder, spec.execution.environment));
      this.#forgetBeginning(ready.slot.id);
      await this.#slots.destroy(ready);
      this.#byUnit.delete(spec.id);
      throw withOutput(doing, error, output);
    }
  }

  /** From now on the unit has no more of the processor than it asked for. */
  #limit(slotId: string): void {
    this.#forgetBeginning(slotId);
    const record = this.#slots.get(slotId);
    if (record?.unit === undefined) return;
    try {
      limitProcessor(this.#slots.context(record));
    } catch (error) {
      this.#options.log.error({ slot: slotId, error: reportError(error) }, 'the processor of a unit is not limited');
    }
  }

  #forgetBeginning(slotId: string): void {
    clearTimeout(this.#beginning.get(slotId));
    this.#beginning.delete(slotId);
  }

  async drain(id: string): Promise<void> {
    const record = this.#recordOf(id);
    if (record?.unit?.state !== 'running') return;
    const signal = record.unit.spec.execution.drain?.signal ?? 'SIGTERM';
    this.#slots.put({ ...record, unit: { ...record.unit, state: 'draining' } });
    this.#emit(id, 'draining');
    if (record.workload !== undefined) await drainWorkload(this.#slots.folder(record.slot.id), record.workload, signal);
  }

  async remove(id: string): Promise<void> {
    const running = this.#inFlight.get(id);
    running?.cancel.abort();
    await running?.done.catch(() => {});
    const record = this.#recordOf(id);
    if (record !== undefined) await foreground.during(() => this.#remove(record));
  }

  async #remove(record: SlotRecord): Promise<void> {
    this.#forgetBeginning(record.slot.id);
    await this.#slots.destroy(record);
    this.#trimmed.delete(record.slot.id);
    const id = record.unit?.spec.id;
    if (id === undefined || !this.#byUnit.delete(id)) return;
    this.#emit(id, 'stopped');
  }

  /** Where a terminal would be opened. */
  terminalPlace(id: string): TerminalPlace {
    const record = this.#recordOf(id);
    if (record === undefined)
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason: `there is no unit ${id}` });
    return { record, context: this.#slots.context(record) };
  }

  readOutput(id: string, offset: number): { readonly lines: readonly string[]; readonly next: number } {
    const record = this.#recordOf(id);
    if (record === undefined)
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason: `there is no unit ${id}` });
    return readOutputFile(this.#outputOf(record), offset);
  }

  /** Compares what should run with what does. */
  look(): void {
    for (const record of this.#slots.records()) {
      const { unit, workload, slot } = record;
      if (record.phase !== 'unit' || unit === undefined || workload === undefined) continue;
      const path = this.#outputOf(record);
      this.#trimmed.set(slot.id, trimOutput(path, this.#trimmed.get(slot.id) ?? 0));
      if (unit.state !== 'running' && unit.state !== 'draining') continue;
      const reason = endOf({ slot }, workload);
      if (reason === undefined || this.#inFlight.has(unit.spec.id)) continue;
      const state = unit.state === 'draining' ? 'stopped' : 'failed';
      const cause = new SuperfluidityError('SF-SITE-UNIT-FAILED', {
        doing: `run unit ${unit.spec.path}`,
        reason,
        answer: tail(path),
      });
      const error = state === 'failed' ? { error: reportError(cause) } : {};
      this.#slots.put({ ...record, unit: { ...unit, state, ...error } });
      this.#emit(unit.spec.id, state, reason);
    }
  }

  prepare(service: string, classes: readonly PoolClass[]): void {
    const tooLarge = classes.find(({ size }) => size > POOL_SIZE_MAX || size < 0);
    if (tooLarge !== undefined) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `prepare units of ${service}`,
        reason: `a pool has from 0 to ${POOL_SIZE_MAX} units, not ${tooLarge.size}`,
      });
    }
    const before = new Set((this.#classes.get(service) ?? []).map(keyOfClass));
    if (classes.length === 0) this.#classes.delete(service);
    else this.#classes.put(service, classes);
    this.#resize(before);
  }

  /** Several services may want the same class: it holds what all of them want together. */
  #resize(before: ReadonlySet<string>): void {
    const sizes = new Map<string, { readonly wish: SlotWish; readonly size: number }>();
    for (const one of this.#classes.values().flat()) {
      const key = keyOfClass(one);
      sizes.set(key, { wish: wishOfClass(one), size: (sizes.get(key)?.size ?? 0) + one.size });
    }
    for (const [key, { wish, size }] of sizes) this.#pool.want(key, wish, exactly(size));
    for (const key of before) if (!sizes.has(key)) void this.#pool.drain(key);
  }

  poolStatus(): readonly PoolStatus[] {
    return this.#pool.stats().map((stats) => ({ ...stats, name: this.#poolName(stats.name) }));
  }

  populatePool(name: string, count: number): boolean {
    const key = this.#poolKey(name);
    return key !== undefined && this.#pool.populate(key, count);
  }

  freePool(name: string | undefined): boolean {
    if (name === undefined) return this.#pool.free();
    const key = this.#poolKey(name);
    return key !== undefined && this.#pool.free(key);
  }

  #poolKey(name: string): string | undefined {
    return this.#pool.stats().find((stats) => this.#poolName(stats.name) === name)?.name;
  }

  #poolName(key: string): string {
    const one = this.#classes
      .values()
      .flat()
      .find((candidate) => keyOfClass(candidate) === key);
    return one === undefined ? key : `${one.template.path}@${one.template.host} ${key.slice(0, 6)}`;
  }

  /** Gives up what is ready for ports of the network, so that the network can go. */
  async releaseNetwork(network: string): Promise<void> {
    const keys = new Set<string>();
    for (const record of this.#slots.records()) {
      if (!record.slot.ports.some((port) => port.network === network)) continue;
      if (record.unit !== undefined) {
        throw new SuperfluidityError('SF-SITE-CONFLICT', {
          doing: `remove network ${network}`,
          reason: `unit ${record.unit.spec.path} has a port in it`,
          hint: 'Remove the units first.',
        });
      }
      keys.add(record.key);
    }
    for (const key of keys) await this.#pool.drain(key);
  }

  /** Lets go: what is ready stays for whoever comes next. */
  async close(): Promise<void> {
    for (const { cancel } of this.#inFlight.values()) cancel.abort();
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done.catch(() => {})));
    for (const slotId of this.#beginning.keys()) this.#limit(slotId);
    await this.#pool.close();
  }

  #outputOf({ slot, template }: SlotRecord): string {
    return outputPath(this.#slots.folder(slot.id), template.execution.environment);
  }

  #recordOf(id: string): SlotRecord | undefined {
    const slot = this.#byUnit.get(id);
    return slot === undefined ? undefined : this.#slots.get(slot);
  }

  #emit(unitId: string, state: UnitState, reason?: string): void {
    this.#options.events.emit({ kind: 'unit', unitId, state, ...(reason === undefined ? {} : { reason }) });
  }
}

function wishOfClass({ template: { ports, ...template } }: PoolClass): SlotWish {
  return { template, ports };
}

const keys = new WeakMap<PoolClass, string>();

function keyOfClass(one: PoolClass): string {
  let key = keys.get(one);
  if (key === undefined) {
    const { template, ports } = wishOfClass(one);
    key = slotKey(template, ports);
    keys.set(one, key);
  }
  return key;
}

function conflict(doing: string, id: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `unit ${id} exists with another specification` });
}

const TAIL_CHARS = 2000;

function tail(path: string): string {
  const { lines } = readOutputFile(path, 0);
  return lines.join('\n').slice(-TAIL_CHARS);
}

/** What the unit printed before it failed tells more than that it failed. */
function withOutput(doing: string, error: unknown, output: string): unknown {
  const plain =
    isSuperfluidityError(error, 'SF-SITE-UNIT-FAILED') || isSuperfluidityError(error, 'SF-SITE-UNIT-NOT-READY');
  if (!plain || output === '') return error;
  const { code, details } = error as SuperfluidityError;
  return new SuperfluidityError(code, { ...details, doing, answer: output });
}

/** Codes of the site stay; what came from the kernel or a program becomes the cause of a unit that did not start. */
function explained(doing: string, error: unknown): unknown {
  if (!(error instanceof SuperfluidityError)) return error;
  if (!error.code.startsWith('SF-LINUX-') || error.code === 'SF-LINUX-STATE') return error;
  const { reason, request, answer, hint } = error.details;
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing,
    reason: error.message,
    ...(request === undefined ? {} : { request }),
    ...(answer === undefined ? {} : { answer }),
    hint: hint ?? error.kind.hint,
    data: { reason },
    cause: error,
  });
}
