import { reportError } from '@superfluidity/core';
import type { Events, SiteEvent, UnitState } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Hosts } from './hosts.ts';
import type { PortSource } from './neutron/port-source.ts';
import { type ServerRecord, stateOf } from './server-record.ts';
import type { Units } from './units.ts';
import type { World } from './world.ts';

export interface WatchParts {
  readonly world: World;
  readonly units: Units;
  readonly hosts: Hosts;
  readonly ports: PortSource;
  readonly gateway: Gateway | undefined;
  readonly events: Events;
  readonly closed: AbortSignal;
}

/** Looks at the whole of the site as long as somebody watches, and tells what is not as it was. */
export class Watch {
  readonly #parts: WatchParts;
  readonly #drift = new Map<string, string>();
  #states: ReadonlyMap<string, UnitState> | undefined;
  #up: ReadonlyMap<string, boolean> | undefined;
  #watchers = 0;
  #looking = false;
  #wake: AbortController | undefined;
  #poked = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** What of a unit is not as it was made, as of the last look. */
  driftOf(unitId: string): string | undefined {
    return this.#drift.get(unitId);
  }

  async *events(signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const ended = AbortSignal.any([signal, this.#parts.closed]);
    this.#watchers += 1;
    if (!this.#looking) void this.#loop();
    try {
      yield* this.#parts.events.read(ended);
    } finally {
      this.#watchers -= 1;
      if (this.#watchers === 0) this.#wake?.abort();
    }
  }

  /** Somebody says that something has happened. */
  poke(): void {
    this.#poked = true;
    this.#wake?.abort();
  }

  async #loop(): Promise<void> {
    const { world, closed } = this.#parts;
    this.#looking = true;
    while (this.#watchers > 0 && !closed.aborted) {
      const beganMs = world.clock.now();
      // What is told from here on may be newer than what the look sees.
      this.#poked = false;
      try {
        await this.#parts.gateway?.look(world.ask());
        await this.look();
      } catch (error) {
        if (!closed.aborted)
          world.log.warn({ site: world.name, error: reportError(error) }, 'the cloud was not looked at');
      }
      await this.#rest(world.clock.now() - beganMs);
    }
    this.#looking = false;
  }

  /** Until the next look is due, or somebody says that something has happened. */
  async #rest(tookMs: number): Promise<void> {
    const { world, closed } = this.#parts;
    const { clock, config } = world;
    const spacingMs = Math.min(config.pollMs, Math.max(LIMITS.wokenMs, LIMITS.wokenTimes * tookMs));
    this.#wake = new AbortController();
    const woken = AbortSignal.any([closed, this.#wake.signal]);
    if (!this.#poked) await clock.sleep(config.pollMs, woken).catch(() => {});
    if (!this.#poked || this.#watchers === 0) return;
    await clock.sleep(spacingMs, closed).catch(() => {});
  }

  /** One look at everything. */
  async look(): Promise<void> {
    const { world, units, hosts, ports, events } = this.#parts;
    const signal = world.ask();
    const [records, acquired, found] = await Promise.all([units.records(signal), ports.acquired(signal), hosts.list()]);
    const wired = new Map(acquired.map(({ port }) => [port.id, port.device_id]));
    this.#drift.clear();
    for (const record of records) {
      const reason = driftIn(record, wired);
      if (reason !== undefined) this.#drift.set(record.unitId, reason);
    }
    const states = new Map(
      records.map((record) => [record.unitId, this.#drift.has(record.unitId) ? 'failed' : stateOf(record).state]),
    );
    for (const [unitId, state] of states) {
      const before = this.#states?.get(unitId);
      if (this.#states === undefined || before === state || units.isBusy(unitId)) continue;
      if (before === undefined && state === 'starting') continue;
      const record = records.find((one) => one.unitId === unitId)!;
      const reason = this.#drift.get(unitId) ?? stateOf(record).reason;
      events.emit({ kind: 'unit', unitId, state, ...(reason === undefined ? {} : { reason }) });
    }
    for (const [unitId, before] of this.#states ?? []) {
      if (states.has(unitId) || before === 'starting' || units.isBusy(unitId)) continue;
      events.emit({ kind: 'unit', unitId, state: 'stopped', reason: 'its server is gone' });
    }
    this.#states = states;
    this.#tellHosts(new Map(found.map(({ host }) => [host.name, host.schedulable])));
    await this.#removeOrphans(new Set(records.flatMap((record) => record.ports.map(({ portId }) => portId))), acquired);
  }

  #tellHosts(up: ReadonlyMap<string, boolean>): void {
    for (const [host, isUp] of up) {
      const before = this.#up?.get(host);
      if (before !== undefined && before !== isUp) this.#parts.events.emit({ kind: 'host', host, up: isUp });
    }
    this.#up = up;
  }

  /** Ports that were made for a server which nobody made any more: a crash came between. */
  async #removeOrphans(
    used: ReadonlySet<string>,
    acquired: Awaited<ReturnType<PortSource['acquired']>>,
  ): Promise<void> {
    const { world, units, ports } = this.#parts;
    const oldest = world.clock.now() - LIMITS.orphanMs;
    const orphans = acquired.filter(
      ({ port, unitId }) =>
        port.device_id === '' && !used.has(port.id) && !units.isBusy(unitId) && bornMs(port) < oldest,
    );
    if (orphans.length === 0) return;
    const ids = orphans.map(({ port }) => port.id);
    world.log.warn({ site: world.name, ports: ids }, 'removing ports of units that were never made');
    await ports.release(ids, world.ask());
  }
}

/** Nova may not see that a port of its server was deleted, or given to another. */
function driftIn(record: ServerRecord, wired: ReadonlyMap<string, string>): string | undefined {
  if (stateOf(record).state !== 'running') return undefined;
  for (const { portId, status } of record.ports) {
    const device = wired.get(portId);
    if (device === undefined) return `its port ${status.name} is gone`;
    if (device !== record.server.id) return `its port ${status.name} was given to another`;
  }
  return undefined;
}

function bornMs(port: { readonly created_at?: string | undefined }): number {
  return port.created_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(port.created_at);
}
