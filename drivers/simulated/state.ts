import { SuperfluidityError, canonicalJson, reportError } from '@superfluidity/core';
import type { Endpoint, PortSpec, PortStatus } from '@superfluidity/fabric';
import type { Host } from '@superfluidity/model';
import {
  checkFence,
  type PoolClass,
  type SiteEvent,
  type UnitSpec,
  type UnitState,
  type UnitStatus,
} from '@superfluidity/site';
import { type Act, type Command, refused, type Reserved } from './commands.ts';
import type { SimulatedConfig } from './config.ts';
import { FabricState } from './fabric-state.ts';

/** Sums of fractions of a core are not exact. */
const ROUNDING = 1e-6;

interface HostRecord {
  readonly host: Omit<Host, 'used' | 'schedulable'>;
  readonly used: { cpu: number; memoryMiB: number; storageMiB: number };
  readonly units: Set<string>;
  up: boolean;
  /** As it was last told, until something of it changes. */
  told?: Host | undefined;
}

export interface UnitRecord {
  readonly spec: UnitSpec;
  readonly ports: readonly PortStatus[];
  readonly pooled: boolean;
  state: UnitState;
  startedAtMs: number;
  error?: SuperfluidityError;
}

/** A site as its commands make it. Deterministic: no clock, no randomness, no I/O. */
export class SiteState {
  readonly site: string;
  readonly fabric: FabricState;
  readonly hosts = new Map<string, HostRecord>();
  readonly units = new Map<string, UnitRecord>();
  readonly pools = new Map<string, readonly PoolClass[]>();
  readonly #emit: (event: SiteEvent) => void;
  /** Attempts to start units of the paths that the failure script names. */
  readonly #attempts = new Map<string, number>();
  readonly #portOwners = new Map<string, string>();
  #told: readonly Host[] | undefined;
  #fence = 0;

  constructor(site: string, config: SimulatedConfig, emit: (event: SiteEvent) => void) {
    this.site = site;
    this.#emit = emit;
    this.fabric = new FabricState(site, config.locator);
    for (const { path } of config.failures.units) this.#attempts.set(path, 0);
    for (const host of hostsOf(config)) {
      this.hosts.set(host.name, {
        host,
        used: { cpu: 0, memoryMiB: 0, storageMiB: 0 },
        units: new Set(),
        up: true,
      });
    }
  }

  /** Changes everything the command asks for or, when it throws, nothing. */
  apply(command: Command): readonly Reserved[] | undefined {
    switch (command.kind) {
      case 'host':
        this.#setHost(command.host, command.up);
        return undefined;
      case 'crash':
        this.#fail(command.id, command.reason);
        return undefined;
      case 'reach':
        this.fabric.reach(command);
        return undefined;
      case 'purge':
        this.#purge();
        return undefined;
      case 'call':
        checkFence(this.site, this.#fence, command);
        this.#fence = command.fence;
        return this.#act(command.act, command.atMs);
    }
  }

  #act(act: Act, atMs: number): readonly Reserved[] | undefined {
    switch (act.verb) {
      case 'reserve':
        return act.specs.map((spec, index) => this.#reserve(spec, act.pooled[index] ?? false, atMs));
      case 'settle':
        for (const id of act.ids) this.#transition(id, 'starting', 'running', atMs);
        return undefined;
      case 'drain':
        this.#transition(act.id, 'running', 'draining', atMs);
        return undefined;
      case 'remove':
        for (const id of act.ids) this.#remove(id);
        return undefined;
      case 'prepare':
        if (act.classes.length === 0) this.pools.delete(act.service);
        else this.pools.set(act.service, act.classes);
        return undefined;
      default:
        this.fabric.apply(act, atMs);
        return undefined;
    }
  }

  #reserve(spec: UnitSpec, pooled: boolean, atMs: number): Reserved {
    const there = this.units.get(spec.id);
    if (there !== undefined) {
      if (there.spec !== spec && canonicalJson(there.spec) !== canonicalJson(spec)) {
        return refused('SF-SITE-CONFLICT', `unit ${spec.id} is there already and differs`);
      }
      // One that failed is made anew and keeps its ports: that is how it is healed.
      if (there.state === 'failed') return this.#revive(there, pooled, atMs);
      return there.state === 'starting' ? { kind: 'start', attempt: this.#attempt(spec.path) } : { kind: 'ready' };
    }
    const host = this.hosts.get(spec.host);
    const reason =
      host === undefined ? refused('SF-SITE-NO-HOST', `${this.site} has no host ${spec.host}`) : noRoom(host, spec);
    if (reason !== undefined) return reason;
    const ports = this.#connect(spec);
    if (!Array.isArray(ports)) return ports as Reserved;

    const { used, units } = host!;
    this.#changes(host!);
    used.cpu += spec.cpu;
    used.memoryMiB += spec.memoryMiB;
    used.storageMiB += spec.storageMiB;
    units.add(spec.id);
    this.units.set(spec.id, { spec, ports, pooled, state: 'starting', startedAtMs: atMs });
    this.#emit({ kind: 'unit', unitId: spec.id, state: 'starting' });
    return { kind: 'start', attempt: this.#attempt(spec.path) };
  }

  #revive(unit: UnitRecord, pooled: boolean, atMs: number): Reserved {
    const { id, path, host } = unit.spec;
    if (this.hosts.get(host)?.up !== true) return refused('SF-SITE-UNAVAILABLE', `host ${host} is down`);
    this.units.set(id, { spec: unit.spec, ports: unit.ports, pooled, state: 'starting', startedAtMs: atMs });
    this.#emit({ kind: 'unit', unitId: id, state: 'starting' });
    return { kind: 'start', attempt: this.#attempt(path) };
  }

  #attempt(path: string): number {
    const attempt = this.#attempts.get(path);
    if (attempt === undefined) return 1;
    this.#attempts.set(path, attempt + 1);
    return attempt + 1;
  }

  /** All ports of the unit, or none and the reason. */
  #connect(spec: UnitSpec): PortStatus[] | Reserved {
    const done: PortStatus[] = [];
    for (const port of spec.ports) {
      const outcome = this.#connectPort(port, spec);
      if ('address' in outcome) {
        done.push(outcome);
        continue;
      }
      for (const one of done) this.#disconnectPort(one);
      return outcome;
    }
    return done;
  }

  #connectPort(port: PortSpec, spec: UnitSpec): PortStatus | Reserved {
    const owner = this.#portOwners.get(port.id);
    if (owner !== undefined) return refused('SF-SITE-CONFLICT', `port ${port.id} belongs to unit ${owner}`);
    const status = this.fabric.connect(port, spec.host);
    if ('address' in status) this.#portOwners.set(port.id, spec.id);
    return status;
  }

  #disconnectPort(port: PortStatus): void {
    this.#portOwners.delete(port.id);
    this.fabric.disconnect(port);
  }

  #transition(id: string, from: UnitState, to: UnitState, atMs: number): void {
    const unit = this.units.get(id);
    if (unit === undefined || unit.state !== from) return;
    unit.state = to;
    if (to === 'running') unit.startedAtMs = atMs;
    this.#emit({ kind: 'unit', unitId: id, state: to });
  }

  #remove(id: string): void {
    const unit = this.units.get(id);
    if (unit === undefined) return;
    const host = this.hosts.get(unit.spec.host)!;
    const { used, units } = host;
    this.#changes(host);
    used.cpu -= unit.spec.cpu;
    used.memoryMiB -= unit.spec.memoryMiB;
    used.storageMiB -= unit.spec.storageMiB;
    units.delete(id);
    this.units.delete(id);
    for (const port of unit.ports) this.#disconnectPort(port);
    this.#emit({ kind: 'unit', unitId: id, state: 'stopped' });
  }

  #setHost(name: string, up: boolean): void {
    const record = this.hosts.get(name);
    if (record === undefined || record.up === up) return;
    record.up = up;
    this.#changes(record);
    this.#emit({ kind: 'host', host: name, up });
    if (!up) for (const id of record.units) this.#fail(id, `host ${name} is down`);
  }

  #fail(id: string, reason: string): void {
    const unit = this.units.get(id);
    if (unit === undefined || unit.state === 'failed') return;
    unit.state = 'failed';
    unit.error = new SuperfluidityError('SF-SITE-UNIT-FAILED', {
      doing: `run unit ${unit.spec.path} on ${unit.spec.host}`,
      reason,
    });
    this.#emit({ kind: 'unit', unitId: id, state: 'failed', reason });
  }

  #purge(): void {
    for (const id of this.units.keys()) this.#remove(id);
    this.pools.clear();
    this.fabric.clear();
  }

  status(id: string): UnitStatus | undefined {
    const unit = this.units.get(id);
    return unit === undefined ? undefined : statusOf(unit);
  }

  /** Whether packets for the endpoint arrive: the port is still the one that it was, and its unit runs. */
  answers({ portId, sid, address }: Endpoint): boolean {
    const unit = this.units.get(this.#portOwners.get(portId) ?? '');
    if (unit?.state !== 'running' && unit?.state !== 'draining') return false;
    return unit.ports.some((port) => port.id === portId && port.sid === sid && port.address === address);
  }

  /** The same list, of the same hosts, until one of them changes: of a hundred thousand, few do. */
  allHosts(): readonly Host[] {
    this.#told ??= [...this.hosts.values()].map((record) => {
      record.told ??= { ...record.host, used: { ...record.used }, schedulable: record.up };
      return record.told;
    });
    return this.#told;
  }

  #changes(host: HostRecord): void {
    host.told = undefined;
    this.#told = undefined;
  }
}

export function statusOf({ spec, state, ports, pooled, error }: UnitRecord): UnitStatus {
  return {
    id: spec.id,
    service: spec.service,
    path: spec.path,
    index: spec.index,
    host: spec.host,
    environment: spec.execution.environment,
    state,
    ports,
    pooled,
    handles: { simulated: spec.id },
    ...(error === undefined ? {} : { error: reportError(error) }),
  };
}

function noRoom({ host, used, up }: HostRecord, spec: UnitSpec): Reserved | undefined {
  if (!up) return refused('SF-SITE-UNAVAILABLE', `host ${host.name} is down`);
  if (!host.environments.includes(spec.execution.environment)) {
    return refused(
      'SF-SITE-ENVIRONMENT',
      `host ${host.name} runs ${host.environments.join(', ')}, not ${spec.execution.environment}`,
    );
  }
  for (const what of ['cpu', 'memoryMiB', 'storageMiB'] as const) {
    const free = host[what] - used[what];
    if (spec[what] > free + ROUNDING) {
      return refused(
        'SF-SITE-NO-CAPACITY',
        `host ${host.name} has ${free} ${what} free, ${spec.path} needs ${spec[what]}`,
      );
    }
  }
  return undefined;
}

function hostsOf({ hosts }: SimulatedConfig): readonly HostRecord['host'][] {
  if (Array.isArray(hosts)) return hosts;
  const { count, hostsPerRack, ...size } = hosts;
  return Array.from({ length: count }, (_, index) => ({
    name: `h${index + 1}`,
    ...size,
    ...(hostsPerRack === undefined
      ? {}
      : { rack: `r${Math.floor(index / hostsPerRack) + 1}`, rackUnit: (index % hostsPerRack) + 1 }),
  }));
}
