import { canonicalJson, isSuperfluidityError, reportError, SuperfluidityError, Turnstile } from '@superfluidity/core';
import { actOnServer, deleteServer, type Server, setServerMetadata, wholeConsole } from '@superfluidity/openstack';
import type { Events, UnitOutcome, UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { awaitHealthy } from './health.ts';
import { built, launch, type LaunchParts } from './launch.ts';
import { Consoles, type ConsoleText } from './output.ts';
import {
  digestOf,
  DRAINING,
  recordOf,
  type RecordedServer,
  type ServerRecord,
  stateOf,
  statusOf,
} from './server-record.ts';
import { isBeingDeleted } from './servers.ts';

interface InFlight {
  readonly spec: string;
  readonly cancel: AbortController;
  readonly done: Promise<UnitStatus>;
}

export interface UnitsParts extends LaunchParts {
  readonly events: Events;
  /** Whether what a call made is still its own to remove: a successor goes on with it. */
  readonly isInCharge: (fence: number) => boolean;
  /** What of a unit is not as it was made, where Nova does not see it. */
  readonly driftOf: (unitId: string) => string | undefined;
}

/** The units of a site. There are no records of them but in the cloud. */
export class Units {
  readonly #parts: UnitsParts;
  readonly #inFlight = new Map<string, InFlight>();
  /** What is being taken back. Nothing in it rejects. */
  readonly #undoing = new Map<string, Promise<void>>();
  readonly #consoles = new Consoles();
  readonly #turnstile = new Turnstile(LIMITS.unitsAtOnce);

  constructor(parts: UnitsParts) {
    this.#parts = parts;
  }

  /** True for those that this process makes or removes at this moment. */
  isBusy(unitId: string): boolean {
    return this.#inFlight.has(unitId) || this.#undoing.has(unitId);
  }

  async records(signal: AbortSignal): Promise<readonly ServerRecord[]> {
    const { servers, world } = this.#parts;
    const found = (await servers.list(signal)).toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1));
    // Of two that one unit has for a moment, the older one counts.
    const first = new Map<string, ServerRecord>();
    for (const record of found.flatMap((server) => recordOf(world.siteId, server) ?? [])) {
      if (!isBeingDeleted(record.server) && !first.has(record.unitId)) first.set(record.unitId, record);
    }
    return [...first.values()];
  }

  async list(signal: AbortSignal): Promise<readonly UnitStatus[]> {
    return (await this.records(signal)).map((record) => statusOf(record, this.#parts.driftOf(record.unitId)));
  }

  async get(id: string, signal: AbortSignal): Promise<UnitStatus | undefined> {
    const record = await this.#record(id, signal);
    return record === undefined ? undefined : statusOf(record, this.#parts.driftOf(id));
  }

  async ensure(spec: UnitSpec, fence: number, signal: AbortSignal): Promise<UnitStatus> {
    const { world } = this.#parts;
    const doing = `create unit ${spec.path} on ${world.name}/${spec.host}`;
    const text = canonicalJson(spec);
    const running = this.#inFlight.get(spec.id);
    if (running !== undefined) {
      if (running.spec !== text) throw conflict(doing, spec.id);
      return running.done;
    }
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const cancel = new AbortController();
    const done = this.#ensure(doing, spec, fence, AbortSignal.any([signal, cancel.signal])).finally(() =>
      this.#inFlight.delete(spec.id),
    );
    this.#inFlight.set(spec.id, { spec: text, cancel, done });
    return done;
  }

  /** One that something else has made: when its health check passes. */
  async ready(spec: UnitSpec, signal: AbortSignal): Promise<UnitStatus> {
    const { world, servers, events } = this.#parts;
    const doing = `start unit ${spec.path} on ${world.name}/${spec.host}`;
    const record = await this.#record(spec.id, signal);
    if (record === undefined)
      throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason: 'it has no server' });
    const { server } = record;
    const active = server.status === 'ACTIVE' ? server : await built(servers, server, spec.id, doing, signal);
    await this.#awaitHealthy(doing, spec, active, signal);
    events.emit({ kind: 'unit', unitId: spec.id, state: 'running' });
    return statusOf(recordOf(world.siteId, active) ?? record);
  }

  async ensureMany(specs: readonly UnitSpec[], fence: number, signal: AbortSignal): Promise<readonly UnitOutcome[]> {
    if (specs.length > LIMITS.unitsPerCall) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `start ${specs.length} units on ${this.#parts.world.name}`,
        reason: `a call takes ${LIMITS.unitsPerCall} units at most`,
      });
    }
    return Promise.all(
      specs.map((spec) =>
        this.ensure(spec, fence, signal).then(
          (status): UnitOutcome => ({ ok: true, status }),
          (error: unknown): UnitOutcome => ({ ok: false, error }),
        ),
      ),
    );
  }

  async #ensure(doing: string, spec: UnitSpec, fence: number, signal: AbortSignal): Promise<UnitStatus> {
    const { environment } = spec.execution;
    if (environment !== 'vm') {
      throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
        doing,
        reason: `a cloud runs virtual machines, not units of environment '${environment}'`,
        data: { environment, offered: ['vm'] },
      });
    }
    const { servers, hosts, events, world } = this.#parts;
    await this.#undoing.get(spec.id);
    return this.#turnstile.pass(doing, signal, async () => {
      try {
        const known = await this.#known(doing, spec, signal);
        const server = known === undefined ? await launch(this.#parts, spec, doing, signal) : known;
        const active = server.status === 'ACTIVE' ? server : await built(servers, server, spec.id, doing, signal);
        await this.#awaitHealthy(doing, spec, active, signal);
        hosts.changed();
        events.emit({ kind: 'unit', unitId: spec.id, state: 'running' });
        const record = recordOf(world.siteId, active);
        if (record !== undefined) return statusOf(record);
        throw new SuperfluidityError('SF-SITE-UNIT-FAILED', {
          doing,
          reason: 'somebody changed the metadata of its server',
        });
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-SITE-CONFLICT') && this.#parts.isInCharge(fence)) {
          const undoing = this.#undo(spec.id);
          // Who gave up does not wait for that; who asks for the same unit again does.
          if (!signal.aborted) await undoing;
        }
        throw coded(error, doing);
      }
    });
  }

  /** The server of the unit, where there is one that can be used. One that failed is removed. */
  async #known(doing: string, spec: UnitSpec, signal: AbortSignal): Promise<RecordedServer | undefined> {
    const { servers, world, driftOf } = this.#parts;
    const found = await servers.ofUnit(spec.id, signal);
    const records = found.flatMap((server) => recordOf(world.siteId, server) ?? []);
    const record = records.find(({ server }) => !isBeingDeleted(server));
    if (record !== undefined && record.digest !== digestOf(spec)) throw conflict(doing, spec.id);
    const state = record === undefined ? undefined : stateOf(record).state;
    const isUsable = state === 'running' || state === 'starting' || state === 'draining';
    if (record !== undefined && isUsable && driftOf(spec.id) === undefined) return record.server;
    if (found.length > 0) await this.#removeAll(new Set([spec.id]), found, signal);
    return undefined;
  }

  async #awaitHealthy(doing: string, spec: UnitSpec, server: RecordedServer, signal: AbortSignal): Promise<void> {
    const { world, servers } = this.#parts;
    const record = recordOf(world.siteId, server);
    try {
      await awaitHealthy(
        world,
        doing,
        spec.execution.health,
        {
          address: record?.ports[0]?.status.address,
          floatingIp: record?.floatingIp,
          console: (limited) => wholeConsole(world.cloud, server.id, limited),
          ended: async (limited) => {
            const now = await servers.get(server.id, limited);
            if (now === undefined) return 'the server is gone';
            return now.status === 'ACTIVE' ? undefined : `the server is ${now.status}: ${now.fault?.message ?? ''}`;
          },
        },
        signal,
      );
    } catch (error) {
      throw await this.#withConsole(error, server.id);
    }
  }

  /** What the unit printed before it failed tells more than that it failed. */
  async #withConsole(error: unknown, serverId: string): Promise<unknown> {
    const isPlain =
      isSuperfluidityError(error, 'SF-SITE-UNIT-FAILED') || isSuperfluidityError(error, 'SF-SITE-UNIT-NOT-READY');
    if (!isPlain) return error;
    const { world } = this.#parts;
    const text = await wholeConsole(world.cloud, serverId, world.ask()).catch(() => '');
    if (text === '') return error;
    const { code, details } = error as SuperfluidityError;
    return new SuperfluidityError(code, { ...details, answer: text.slice(-TAIL_CHARACTERS) });
  }

  async drain(id: string, signal: AbortSignal): Promise<void> {
    const { world, events } = this.#parts;
    const record = await this.#record(id, signal);
    if (record === undefined || stateOf(record).state !== 'running') return;
    await setServerMetadata(world.cloud, record.server.id, DRAINING, signal);
    events.emit({ kind: 'unit', unitId: id, state: 'draining' });
    // Nova asks the machine to shut down, as its power button does, and waits before it pulls the plug.
    await actOnServer(world.cloud, record.server.id, 'stop', signal);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    if (ids.length === 0) return;
    const running = ids.flatMap((id) => this.#inFlight.get(id) ?? []);
    for (const { cancel } of running) cancel.abort(cancelled('start a unit', 'it is removed'));
    await Promise.all(running.map(({ done }) => done.catch(() => {})));
    await Promise.all(ids.flatMap((id) => this.#undoing.get(id) ?? []));
    const wanted = new Set(ids);
    const { servers, world } = this.#parts;
    const found = ids.length === 1 ? await servers.ofUnit(ids[0]!, signal) : await servers.list(signal);
    const theirs = found.filter((server) => wanted.has(recordOf(world.siteId, server)?.unitId ?? ''));
    await this.#removeAll(wanted, theirs, signal);
  }

  async #removeAll(ids: ReadonlySet<string>, servers: readonly Server[], signal: AbortSignal): Promise<void> {
    const { world, servers: looks, ports, floatingIps, hosts } = this.#parts;
    await floatingIps.remove(ids, signal);
    await Promise.all(
      servers.map(async ({ id }) => {
        await deleteServer(world.cloud, id, signal);
        const doing = `remove server ${id} of ${world.name}`;
        const last = await looks.gone(id, doing, signal);
        if (last !== undefined) throw stuck(last, doing);
        this.#consoles.forget(id);
      }),
    );
    hosts.changed();
    const acquired = (await ports.acquired(signal)).filter(({ unitId }) => ids.has(unitId));
    const recorded = servers.flatMap((server) => recordOf(world.siteId, server)?.ports ?? []);
    const portIds = new Set([...acquired.map(({ port }) => port.id), ...recorded.map(({ portId }) => portId)]);
    await ports.release([...portIds], signal);
    for (const server of servers) {
      const unitId = recordOf(world.siteId, server)?.unitId;
      if (unitId !== undefined) this.#emit(unitId, 'stopped');
    }
  }

  /** Of what was begun and is not wanted any more nothing is left, whoever gave up. */
  #undo(id: string): Promise<void> {
    const done = this.#takeBack(id).finally(() => this.#undoing.delete(id));
    this.#undoing.set(id, done);
    return done;
  }

  async #takeBack(id: string): Promise<void> {
    const { servers, world } = this.#parts;
    const signal = AbortSignal.timeout(LIMITS.deleteMs);
    try {
      await this.#removeAll(new Set([id]), await servers.ofUnit(id, signal), signal);
    } catch (error) {
      // It is found by its tags: by the next attempt, by a removal, by purge.
      world.log.error({ unit: id, error: reportError(error) }, 'something of a unit that did not start is left');
    }
  }

  async readOutput(
    id: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    const { serverId, text } = await this.#consoles.recent(id, this.#parts.world.clock, () =>
      this.#readConsole(id, signal),
    );
    return this.#consoles.read(serverId, text, offset);
  }

  async #readConsole(id: string, signal: AbortSignal): Promise<ConsoleText> {
    const { world } = this.#parts;
    const record = await this.#record(id, signal);
    if (record === undefined)
      throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason: `there is no unit ${id} at ${world.name}` });
    return { serverId: record.server.id, text: await wholeConsole(world.cloud, record.server.id, signal) };
  }

  /** Lets go: what is being made and not there yet is taken back. */
  async close(): Promise<void> {
    for (const { cancel } of this.#inFlight.values()) cancel.abort(cancelled('start a unit', 'the site is closed'));
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done.catch(() => {})));
    await Promise.all(this.#undoing.values());
  }

  async #record(id: string, signal: AbortSignal): Promise<ServerRecord | undefined> {
    const { servers, world } = this.#parts;
    const found = (await servers.ofUnit(id, signal)).filter((server) => !isBeingDeleted(server));
    return found.flatMap((server) => recordOf(world.siteId, server) ?? []).find((record) => record.unitId === id);
  }

  #emit(unitId: string, state: UnitState): void {
    this.#parts.events.emit({ kind: 'unit', unitId, state });
  }
}

const TAIL_CHARACTERS = 2_000;

const ageKey = ({ created, id }: Server): string => `${created} ${id}`;

function stuck(server: RecordedServer, doing: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing,
    reason: `Nova does not delete it: ${server.fault?.message ?? server.status}`,
    request: `DELETE server ${server.id}`,
    answer: server.fault?.message ?? server.status,
    hint: 'An operator of the cloud has to reset its state; then try again.',
  });
}

function cancelled(doing: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason });
}

/** `abort()` and `AbortSignal.timeout` tell nobody what was given up. */
function coded(error: unknown, doing: string): unknown {
  if (!(error instanceof DOMException)) return error;
  if (error.name !== 'TimeoutError') return cancelled(doing, 'cancelled');
  return new SuperfluidityError('SF-CORE-TIMEOUT', { doing, reason: 'it was not done in the time that there was' });
}

function conflict(doing: string, id: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `unit ${id} exists with another specification` });
}
