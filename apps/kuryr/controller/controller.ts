import { type Clock, isSuperfluidityError, type Logger, reportError } from '@superfluidity/core';
import { type Cluster, isConflict } from '@superfluidity/driver-kubernetes';
import { kuryrPortSchema } from '@superfluidity/driver-kubernetes/kuryr';
import type { Cloud } from '@superfluidity/openstack';
import { composeDrivers, type Drivers } from './compose.ts';
import type { KuryrConfig } from './config.ts';
import { EventWriter, type EventWords, wordsOf } from '../kubernetes/events.ts';
import { holderOf } from './handlers/giver.ts';
import type { Term } from './leader.ts';
import { LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { keyOf, namespaceIn, subjectOf } from '../kubernetes/objects.ts';
import { type QueueCounts, WorkQueue } from './queue.ts';
import { wire, type Wiring } from './wiring.ts';
import { type Handler, openWorld, type World } from './world.ts';

export interface ControllerParts {
  readonly config: KuryrConfig;
  readonly cluster: Cluster;
  readonly cloud: Cloud | undefined;
  /** Not moved by whoever sets the clock of the machine. */
  readonly clock: Clock;
  /** What is written into events. */
  readonly timeOfDay: Clock;
  readonly log: Logger;
  readonly metrics: () => Metrics;
  /** In ms, and not moved by whoever sets the clock of the machine. */
  readonly stopwatch: () => number;
  readonly term: Term;
  /** Of this replica. */
  readonly identity: string;
}

/** What a leader does, from the moment at which it leads until it stops. One for each term. */
export class Controller {
  readonly #parts: ControllerParts;
  readonly #world: World;
  readonly #drivers: Drivers;
  readonly #queues: Readonly<Record<string, WorkQueue>>;
  readonly #informers: Wiring['informers'];
  readonly #sources: Wiring['sources'];

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { config, cluster, cloud, clock, timeOfDay, log, stopwatch } = parts;
    const busy = { isBusy: () => this.#isMaking(), stopwatch };
    const events = new EventWriter({ cluster, clock: timeOfDay, log, component: 'superfluidity-kuryr', busy });
    const world = openWorld({ cluster, clock, log, events }, config.namespaces);
    const drivers = composeDrivers({ config, world, cloud, clock, log, stopwatch });
    this.#world = world;
    this.#drivers = drivers;

    const { queues, informers, sources } = wire({
      config,
      world,
      drivers,
      stopwatch,
      queueOf: (handler) => this.#queue(handler),
      onPortReady: (tookMs) => parts.metrics().portReady(tookMs / 1_000),
    });
    this.#queues = queues;
    this.#informers = informers;
    this.#sources = sources;
  }

  get drivers(): Drivers {
    return this.#drivers;
  }

  /** What it still lacks before it can serve; empty when it does. */
  lacks(): readonly string[] {
    const known = this.#informers.every(({ isKnown }) => isKnown);
    return [
      ...(known ? [] : ['the objects of the cluster are not listed yet']),
      ...(this.#drivers.vifs.isRecovered ? [] : ['ports of the pools are not found again yet']),
    ];
  }

  counts(): Readonly<Record<string, QueueCounts>> {
    return Object.fromEntries(Object.entries(this.#queues).map(([name, queue]) => [name, queue.counts()]));
  }

  /** On the lease: what is about the controller itself, and about no object that it serves. */
  tell(words: EventWords): void {
    this.#world.events.tell(subjectOf('coordination.k8s.io/v1', 'Lease', this.#parts.term.lease), words);
  }

  get eventsDropped(): number {
    return this.#world.events.dropped;
  }

  /** Until the signal fires. Deletes nothing at its end: the next one goes on. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    const { events } = this.#world;
    this.tell(termWords(this.#parts));
    try {
      for (const informer of this.#informers) informer.start();
      await Promise.all(this.#informers.map((informer) => informer.known(signal)));
      await this.#recover(signal);
      log.info({ pods: this.#world.pods.all().length, ports: this.#world.ports.informer.all().length }, 'recovered');
      while (!signal.aborted) {
        for (const { all, queue } of this.#sources) for (const object of all()) queue.add(keyOf(object));
        await clock.sleep(LIMITS.resyncMs, signal).catch(() => {});
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.all(Object.values(this.#queues).map((queue) => queue.close()));
      await Promise.all(this.#informers.map((informer) => informer.stop()));
      await this.#drivers.vifs.close();
      await events.close();
    }
  }

  /** Whether pods wait for their KuryrPorts. */
  #isMaking(): boolean {
    const { waiting, handling } = this.#queues['pods']!.counts();
    return waiting + handling > 0;
  }

  /** Who has which port stands in the KuryrPorts. While the cloud does not answer, pods wait. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    for (let pauseMs: number = LIMITS.retryFirstMs; ; pauseMs = Math.min(LIMITS.retryLastMs, pauseMs * 2)) {
      const inUse = this.#world.ports.informer.all().flatMap((object) => {
        const port = kuryrPortSchema.safeParse(object).data;
        if (port === undefined) return [];
        const shared = { node: port.spec.node, holder: holderOf(port) };
        return Object.values(port.status?.interfaces ?? {}).map((given) => ({ ...shared, given }));
      });
      try {
        await this.#drivers.vifs.recover(inUse);
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ error: reportError(error) }, 'ports of the pools could not be found again yet');
        this.tell({ reason: 'KuryrWaits', message: `pods wait: ${wordsOf(error)}`, warning: true });
        await clock.sleep(pauseMs, signal);
      }
    }
  }

  #queue(handler: Handler): WorkQueue {
    const { clock, log, metrics, stopwatch } = this.#parts;
    const world = this.#world;
    return new WorkQueue({
      clock,
      atOnce: LIMITS.handlersAtOnce,
      handleMs: LIMITS.handleMs,
      backOff: { firstMs: LIMITS.retryFirstMs, factor: LIMITS.retryFactor, lastMs: LIMITS.retryLastMs },
      handle: async (key, signal) => {
        // Nothing is given away before it is known who has what.
        if (this.lacks().length > 0) return undefined;
        if (handler.isEverywhere !== true && !world.serves(namespaceIn(key))) return undefined;
        const startedMs = stopwatch();
        try {
          return await handler.handle(key, signal);
        } finally {
          metrics().handled(handler.name, (stopwatch() - startedMs) / 1_000);
        }
      },
      onFailure: (key, error, failures, pauseMs) => {
        const { code } = reportError(error);
        metrics().failed(handler.name, code);
        // Somebody else was faster: it is looked at again, and nobody needs to know. Clouds answer 409 too, where a quota is used up.
        if (code === 'SF-KUBE-REFUSED' && isConflict(error)) return;
        const isWait = isSuperfluidityError(error, 'SF-KURYR-NOT-READY');
        if (!isWait)
          log.warn({ handler: handler.name, key, failures, pauseMs, error: reportError(error) }, 'tried again');
        const subject = handler.subject(key);
        if (subject === undefined) return;
        const reason = isWait ? 'KuryrWaits' : 'KuryrFailed';
        world.events.tell(subject, { reason, message: wordsOf(error), warning: !isWait });
      },
    });
  }
}

/** With the reason that other controllers of Kubernetes give. */
function termWords({ identity, term: { before } }: ControllerParts): EventWords {
  const told = (message: string, warning: boolean) => ({ reason: 'LeaderElection', message, warning });
  if (before === '') return told(`${identity} leads`, false);
  if (before === identity) return told(`${identity} leads again: it had not renewed its lease in time`, true);
  return told(`${identity} leads: ${before} did not renew its lease, or did not end as it should`, true);
}
