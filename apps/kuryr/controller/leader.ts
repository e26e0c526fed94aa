import { type Clock, isSuperfluidityError, type Logger, reportError } from '@superfluidity/core';
import { type Cluster, isConflict } from '@superfluidity/driver-kubernetes';
import type { Lease } from '../kubernetes/objects.ts';

export interface LeaderOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  readonly namespace: string;
  readonly name: string;
  /** Of this replica: no other has it. */
  readonly identity: string;
  /** A lease that was not renewed for so long is free. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long stops: before others may begin. */
  readonly renewWithinMs: number;
  readonly retryMs: number;
  /** In ms, and not moved when somebody sets the clock of the machine. */
  readonly stopwatch: () => number;
  /** Told of a leader's clock that somebody set, by so many ms. */
  readonly onClockSet?: (byMs: number) => void;
}

/** A lease that was taken. */
export interface Term {
  readonly lease: Lease;
  /** Who had it until then and did not give it back: this replica itself, where it could not renew in time. Empty: nobody. */
  readonly before: string;
}

/** Clocks are set by less all the time, little by little. */
const CLOCK_SET_MS = 5_000;

/**
 * One of several replicas leads: who holds the Lease (coordination.k8s.io/v1). As client-go does it, the time since which a lease
 * was not renewed is measured here, from when the renewal was seen, so that clocks need not agree.
 */
export class Leadership {
  readonly #options: LeaderOptions;
  readonly #path: string;
  /** As it was seen last, and since when it is so. */
  #seen: { readonly version: string; readonly atMs: number } | undefined;
  #isLeader = false;
  #isOthers = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Waits for its turn, leads until the signal fires or the lease is lost, and begins anew. Throws what `lead` throws. */
  async run(lead: (signal: AbortSignal, term: Term) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log, retryMs, identity } = this.#options;
    while (!signal.aborted) {
      const term = await this.#attempt(signal);
      if (term === undefined) {
        await clock.sleep(retryMs, signal).catch(() => {});
        continue;
      }
      log.info({ identity }, 'this replica leads');
      const lost = new AbortController();
      const leading = AbortSignal.any([signal, lost.signal]);
      this.#isLeader = true;
      const renewals = this.#keep(leading).finally(() => lost.abort(LOST));
      try {
        await lead(leading, term);
      } finally {
        lost.abort(LOST);
        this.#isLeader = false;
        await renewals;
        await this.#release();
      }
    }
  }

  /** Until it could not be renewed in time. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, log, retryMs, renewWithinMs, stopwatch, onClockSet } = this.#options;
    let renewedMs = stopwatch();
    let ahead = clock.now() - stopwatch();
    while (!signal.aborted) {
      await clock.sleep(retryMs, signal).catch(() => {});
      if (signal.aborted) return;
      const setMs = clock.now() - stopwatch() - ahead;
      if (Math.abs(setMs) >= CLOCK_SET_MS) onClockSet?.(setMs);
      ahead += setMs;
      const startedMs = stopwatch();
      // Who renews too late must not think that it leads while it waits for the answer.
      const left = Math.max(1, Math.floor(renewWithinMs - (startedMs - renewedMs)));
      const renewed = await this.#attempt(AbortSignal.any([signal, AbortSignal.timeout(left)]));
      if (renewed !== undefined) renewedMs = startedMs;
      else if (stopwatch() - renewedMs >= renewWithinMs || this.#isOthers) {
        log.warn({ identity: this.#options.identity }, 'this replica leads no longer');
        return;
      }
    }
  }

  /** Takes the lease, or renews it. */
  async #attempt(signal: AbortSignal): Promise<Term | undefined> {
    const { cluster, log, name, namespace, identity, leaseMs, stopwatch } = this.#options;
    try {
      const lease = await cluster.get<Lease>(`${this.#path}/${name}`, signal);
      const time = this.#time();
      const held = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1_000), renewTime: time };
      if (lease === undefined) {
        const metadata = { name, namespace };
        const spec = { ...held, acquireTime: time, leaseTransitions: 0 };
        const made = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
        return termOf(await cluster.create<Lease>(this.#path, made, signal), '');
      }
      const { resourceVersion = '' } = lease.metadata;
      if (this.#seen?.version !== resourceVersion) this.#seen = { version: resourceVersion, atMs: stopwatch() };
      const holder = lease.spec?.holderIdentity ?? '';
      this.#isOthers = holder !== identity && holder !== '';
      const theirMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
      if (this.#isOthers && stopwatch() - this.#seen.atMs < theirMs) return undefined;
      const transitions = lease.spec?.leaseTransitions ?? 0;
      const taken = holder === identity ? {} : { acquireTime: time, leaseTransitions: transitions + 1 };
      const patch = { metadata: { resourceVersion }, spec: { ...held, ...taken } };
      return termOf(await cluster.merge<Lease>(`${this.#path}/${name}`, patch, signal), holder);
    } catch (error) {
      if (!isConflict(error) && !signal.aborted && !isSuperfluidityError(error, 'SF-CORE-CANCELLED'))
        log.warn({ lease: name, error: reportError(error) }, 'the lease could not be read or renewed');
      return undefined;
    }
  }

  /** So that the next one need not wait. */
  async #release(): Promise<void> {
    const { cluster, name, identity } = this.#options;
    const signal = AbortSignal.timeout(RELEASE_MS);
    try {
      const lease = await cluster.get<Lease>(`${this.#path}/${name}`, signal);
      if (lease?.spec?.holderIdentity !== identity) return;
      const { resourceVersion } = lease.metadata;
      const patch = { metadata: { resourceVersion }, spec: { holderIdentity: '', leaseDurationSeconds: 1 } };
      await cluster.merge(`${this.#path}/${name}`, patch, signal);
    } catch {
      // It expires.
    }
  }

  #time(): string {
    // MicroTime of Kubernetes.
    return new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z');
  }
}

const termOf = (lease: Lease | undefined, before: string) => (lease === undefined ? undefined : { lease, before });

const LOST = 'the lease is lost';
const RELEASE_MS = 2_000;
