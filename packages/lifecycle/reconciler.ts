import { isSuperfluidityError, reportError } from '@superfluidity/core';
import type { PortStatus } from '@superfluidity/fabric';
import type { SiteDriver, UnitStatus } from '@superfluidity/site';
import type { LifecycleOptions } from './options.ts';
import type { Operations } from './operations.ts';
import type { Accepted, Services } from './services.ts';
import type { Sites } from './sites.ts';
import type { UnitRecord, UnitRecords } from './unit-records.ts';

/**
 * Compares what is wanted with what is there, level by level, and never by the event that woke it: events of sites only
 * make it look sooner. What is missing is healed by an operation like any other; what nobody wants is removed when it
 * was seen unwanted twice.
 */
export class Reconciler {
  readonly #options: LifecycleOptions;
  readonly #sites: Sites;
  readonly #units: UnitRecords;
  readonly #services: Services;
  readonly #operations: Operations;
  readonly #stop = new AbortController();
  readonly #watching = new Map<string, SiteDriver>();
  readonly #backoff = new Map<string, { readonly untilMs: number; readonly delayMs: number }>();
  #unwanted = new Set<string>();
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(
    options: LifecycleOptions,
    parts: {
      readonly sites: Sites;
      readonly units: UnitRecords;
      readonly services: Services;
      readonly operations: Operations;
    },
  ) {
    this.#options = options;
    this.#sites = parts.sites;
    this.#units = parts.units;
    this.#services = parts.services;
    this.#operations = parts.operations;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  /** Asks for a look now. */
  poke(): void {
    this.#wake?.();
  }

  async #loop(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.reconcile();
      } catch (error) {
        log.warn({ error: reportError(error) }, 'reconciliation failed');
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { clock, limits } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const signal = AbortSignal.any([this.#stop.signal, woken.signal]);
    await clock.sleep(limits.reconcileMs, signal).catch(() => {});
    this.#wake = undefined;
  }

  /** One look at everything. */
  async reconcile(): Promise<void> {
    await this.#sites.refresh();
    this.#watchSites();
    await this.#operations.resumeLost(this.#options.limits.reconcileMs);
    const busy = await this.#services.busy();
    const seen = new Map<string, ReadonlyMap<string, UnitStatus>>();
    for (const [name, driver] of this.#sites.drivers()) {
      try {
        seen.set(name, new Map((await driver.listUnits()).map((unit) => [unit.id, unit])));
      } catch (error) {
        // A site that does not answer is not a site on which everything died.
        this.#options.log.warn({ site: name, error: reportError(error) }, 'site does not list its units');
      }
    }
    const records = await this.#units.all();
    await this.#heal(records, seen, busy);
    await this.#learn(records, seen, busy);
    await this.#removeUnwanted(records, seen, busy);
  }

  async #heal(
    records: readonly UnitRecord[],
    seen: ReadonlyMap<string, ReadonlyMap<string, UnitStatus>>,
    busy: ReadonlySet<string>,
  ): Promise<void> {
    const lost = records.filter(({ planned }) => {
      const units = seen.get(planned.site);
      if (units === undefined || busy.has(planned.spec.service)) return false;
      const state = units.get(planned.spec.id)?.state;
      return state === undefined || state === 'failed' || state === 'stopped';
    });
    if (lost.length === 0) return;
    await this.#units.setState(
      lost.filter((unit) => unit.state !== 'failed').map((unit) => unit.planned.spec.id),
      'failed',
    );
    for (const [service, units] of Map.groupBy(lost, (unit) => unit.planned.spec.service)) {
      await this.#healService(
        service,
        units.map((unit) => unit.planned.spec.id),
      );
    }
  }

  /** Sites may make a unit anew by themselves, at another address: a controller of Kubernetes does so with its pod. */
  async #learn(
    records: readonly UnitRecord[],
    seen: ReadonlyMap<string, ReadonlyMap<string, UnitStatus>>,
    busy: ReadonlySet<string>,
  ): Promise<void> {
    const moved = records.flatMap(({ planned: { site, spec }, ports }) => {
      const status = busy.has(spec.service) ? undefined : seen.get(site)?.get(spec.id);
      const now = status?.state === 'running' ? movedPorts(ports, status.ports) : undefined;
      return now === undefined ? [] : [{ site, spec, before: ports, now }];
    });
    for (const [service, units] of Map.groupBy(moved, ({ spec }) => spec.service)) {
      const learned = Object.fromEntries(units.map(({ spec, now }) => [spec.id, now]));
      const isBegun = await this.#repair(service, () => this.#services.learnPorts(service, learned));
      if (!isBegun) continue;
      for (const { site, spec, before, now } of units) {
        const told = (ports: readonly PortStatus[]) => ports.map(({ address }) => address).join(', ');
        this.#options.events.append({
          kind: 'unit',
          subject: spec.id,
          severity: 'info',
          message: `unit ${spec.id} at ${site} has ${told(now)} now, and had ${told(before)}`,
          body: { unitId: spec.id, site },
        });
      }
    }
  }

  async #healService(service: string, units: readonly string[]): Promise<void> {
    await this.#repair(service, () => this.#services.healUnits(service, new Set(units), true));
  }

  /** An operation that nobody asked for, unless the last one failed a moment ago. Whether it was begun. */
  async #repair(service: string, begin: () => Promise<Accepted>): Promise<boolean> {
    const { clock, limits, log } = this.#options;
    const before = this.#backoff.get(service);
    if (before !== undefined && clock.now() < before.untilMs) return false;
    const delayMs = Math.min(before === undefined ? limits.healBackoffMs : before.delayMs * 2, limits.healBackoffMaxMs);
    this.#backoff.set(service, { untilMs: clock.now() + delayMs, delayMs });
    try {
      const { operation } = await begin();
      const ended = await this.#operations.settled(operation, this.#stop.signal);
      if (ended.state === 'COMPLETED') this.#backoff.delete(service);
      // Nobody is there to decide on an automatic operation: it is over, and tried again later.
      else if (ended.state === 'FAILED_TEMP') await this.#operations.fail(operation);
      return true;
    } catch (error) {
      // Another server, or a user, was quicker.
      if (isSuperfluidityError(error, 'SF-LIFECYCLE-BUSY')) return false;
      log.warn({ service, error: reportError(error) }, 'service cannot be healed');
      return false;
    }
  }

  async #removeUnwanted(
    records: readonly UnitRecord[],
    seen: ReadonlyMap<string, ReadonlyMap<string, UnitStatus>>,
    busy: ReadonlySet<string>,
  ): Promise<void> {
    const wanted = new Set(records.map((record) => record.planned.spec.id));
    const unwanted = new Set<string>();
    for (const [site, units] of seen) {
      for (const unit of units.values()) {
        if (wanted.has(unit.id) || busy.has(unit.service)) continue;
        unwanted.add(unit.id);
        if (!this.#unwanted.has(unit.id)) continue;
        this.#options.log.warn({ site, unit: unit.id }, 'removing a unit that nobody wants');
        await this.#sites
          .drivers()
          .get(site)
          ?.removeUnit(unit.id, {
            key: `unwanted/${unit.id}`,
            fence: await this.#options.fence(),
            signal: AbortSignal.timeout(this.#options.limits.adminCallMs),
          });
      }
    }
    this.#unwanted = unwanted;
  }

  /** Follows the events of every open site; a driver that was opened anew is followed anew. */
  #watchSites(): void {
    for (const [name, driver] of this.#sites.drivers()) {
      if (this.#watching.get(name) === driver) continue;
      this.#watching.set(name, driver);
      void this.#follow(name, driver);
    }
  }

  /**
   * Sites look after their units for whoever acted last. After a restart nobody has acted yet, so this removes nothing,
   * and what died meanwhile is noticed.
   */
  async #takeCharge(name: string, driver: SiteDriver): Promise<void> {
    const { fence, limits } = this.#options;
    const signal = AbortSignal.timeout(limits.adminCallMs);
    await driver.removeUnits([], { key: `charge/${name}`, fence: await fence(), signal });
  }

  async #follow(name: string, driver: SiteDriver): Promise<void> {
    const { events, log } = this.#options;
    try {
      await this.#takeCharge(name, driver);
      for await (const event of driver.watch(this.#stop.signal)) {
        if (event.kind === 'unit' && (event.state === 'failed' || event.state === 'stopped')) {
          events.append({
            kind: 'unit',
            subject: event.unitId,
            severity: 'warning',
            message: `unit ${event.unitId} at ${name} ${event.state}${event.reason === undefined ? '' : `: ${event.reason}`}`,
            body: { ...event, site: name },
          });
          this.poke();
        } else if (event.kind === 'host') {
          const message = `host ${name}/${event.host} is ${event.up ? 'up' : 'down'}`;
          const severity = event.up ? 'info' : 'error';
          events.append({ kind: 'site', subject: name, severity, message, body: { ...event } });
          this.poke();
        } else if (event.kind === 'overflow') this.poke();
      }
    } catch (error) {
      log.warn({ site: name, error: reportError(error) }, 'events of the site ended');
    }
    if (this.#watching.get(name) === driver) this.#watching.delete(name);
  }
}

/** The ports as they are now, where one has another address than is known; else undefined. One that has none yet is no news. */
function movedPorts(known: readonly PortStatus[], now: readonly PortStatus[]): readonly PortStatus[] | undefined {
  const found = new Map(now.filter(({ address }) => address !== '').map((port) => [port.id, port]));
  const isMoved = known.some(({ id, address }) => (found.get(id)?.address ?? address) !== address);
  return isMoved ? known.map((port) => found.get(port.id) ?? port) : undefined;
}
