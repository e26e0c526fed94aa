import { randomUUID } from 'node:crypto';
import { type Clock, type Logger, reportError } from '@superfluidity/core';
import type { Cluster } from '@superfluidity/driver-kubernetes';
import { LIMITS } from './limits.ts';
import type { Subject } from './objects.ts';

/** In the words of Kubernetes: reasons are UpperCamelCase and lasting, messages are for people. */
export interface EventWords {
  readonly reason: string;
  readonly message: string;
  readonly warning?: boolean;
}

/** What events give way to, for a while. */
export interface Busy {
  /** Whether somebody waits for something more urgent. */
  isBusy(): boolean;
  /** In ms, and not moved by whoever sets the clock of the machine. */
  readonly stopwatch: () => number;
}

interface Waiting {
  readonly subject: Subject;
  readonly words: EventWords;
  readonly known: Known;
  readonly sinceMs: number;
}

interface Known {
  readonly name: string;
  readonly firstTimestamp: string;
  count: number;
  /** It is there, as far as is known. */
  written: boolean;
  queued: boolean;
}

/**
 * Events on objects, so that who looks at a pod sees where it is held up. Written in the background; the same words on the same
 * object are counted in one event. What cannot be written is dropped and counted: nothing waits for an event. Those that warn of nothing
 * give way to what is urgent.
 */
export class EventWriter {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #component: string;
  readonly #busy: Busy | undefined;
  readonly #known = new Map<string, Known>();
  readonly #waiting: Waiting[] = [];
  readonly #stop = new AbortController();
  readonly #writers = new Set<Promise<void>>();
  dropped = 0;

  constructor(options: {
    readonly cluster: Cluster;
    readonly clock: Clock;
    readonly log: Logger;
    readonly component: string;
    readonly busy?: Busy;
  }) {
    this.#cluster = options.cluster;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#component = options.component;
    this.#busy = options.busy;
  }

  tell(subject: Subject, words: EventWords): void {
    if (this.#stop.signal.aborted) return;
    const { namespace = '', name, uid = '' } = subject.metadata;
    const id = [subject.kind, namespace, name, uid, words.reason, words.message].join('\n');
    const known = this.#known.get(id) ?? {
      name: `${name.slice(0, 200)}.${randomUUID().slice(0, 13)}`,
      firstTimestamp: this.#time(),
      count: 0,
      written: false,
      queued: false,
    };
    // Set again: the one that was told longest ago is forgotten first.
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size > LIMITS.eventsKnown) this.#known.delete(this.#known.keys().next().value!);
    known.count += 1;
    if (known.queued) return;
    if (this.#waiting.length >= LIMITS.eventsWaiting) {
      this.dropped += 1;
      return;
    }
    known.queued = true;
    this.#waiting.push({ subject, words, known, sinceMs: this.#busy?.stopwatch() ?? 0 });
    if (this.#writers.size < LIMITS.eventsAtOnce) this.#start();
  }

  /** What waits is written, unless it takes too long. */
  async close(): Promise<void> {
    const late = AbortSignal.timeout(LIMITS.eventsCloseMs);
    late.addEventListener('abort', () => this.#stop.abort(), { once: true });
    await Promise.all(this.#writers);
    this.#stop.abort();
  }

  #start(): void {
    // What pods wait for is written first.
    const begun = this.#clock.sleep(LIMITS.eventsPauseMs, this.#stop.signal).catch(() => {});
    const done = begun.then(() => this.#write()).finally(() => this.#writers.delete(done));
    this.#writers.add(done);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const next = this.#next();
      if (next === undefined) {
        await this.#clock.sleep(LIMITS.eventsPauseMs, this.#stop.signal).catch(() => {});
        if (this.#stop.signal.aborted) return;
        continue;
      }
      const { subject, words, known } = next;
      known.queued = false;
      try {
        await this.#send(subject, words, known);
        known.written = true;
      } catch (error) {
        this.dropped += 1;
        if (this.#stop.signal.aborted) return;
        this.#log.debug({ event: words.reason, error: reportError(error) }, 'an event could not be written');
      }
    }
  }

  /** The one that waits longest of those that may be written now. */
  #next(): Waiting | undefined {
    const busy = this.#busy;
    if (busy?.isBusy() !== true) return this.#waiting.shift();
    const untilMs = busy.stopwatch() - LIMITS.eventsHeldMs;
    const at = this.#waiting.findIndex(({ words, sinceMs }) => words.warning === true || sinceMs <= untilMs);
    return at === -1 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  async #send(subject: Subject, { reason, message, warning = false }: EventWords, known: Known): Promise<void> {
    // Of what is in no namespace, as nodes are, events are in this one.
    const namespace = subject.metadata.namespace ?? 'default';
    const path = `/api/v1/namespaces/${namespace}/events`;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(LIMITS.askMs)]);
    const lastTimestamp = this.#time();
    if (known.written) {
      const patched = await this.#cluster.merge(`${path}/${known.name}`, { count: known.count, lastTimestamp }, signal);
      if (patched !== undefined) return;
    }
    const { apiVersion, kind, metadata } = subject;
    await this.#cluster.create(
      path,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: known.name, namespace },
        involvedObject: {
          apiVersion,
          kind,
          name: metadata.name,
          ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
          ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        },
        type: warning ? 'Warning' : 'Normal',
        reason,
        message: message.slice(0, LIMITS.eventCharacters),
        source: { component: this.#component },
        reportingComponent: this.#component,
        firstTimestamp: known.firstTimestamp,
        lastTimestamp,
        count: known.count,
      },
      signal,
    );
  }

  #time(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

/** What an error says in an event: with the words of the cloud, in which the id of the request stands. */
export function wordsOf(error: unknown): string {
  const { code, message, cause } = reportError(error);
  const below = cause === undefined || message.includes(cause.message) ? '' : ` (${cause.message})`;
  return `${message}${below} [${code}]`;
}
