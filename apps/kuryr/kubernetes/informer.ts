import { type Clock, type Logger, reportError } from '@superfluidity/core';
import { type Cluster, type KubeObject, ObjectWatch } from '@superfluidity/driver-kubernetes';
import { keyOf } from './objects.ts';

/** Told of each change; what is decided is decided by what `get` says then. */
export type Listener<T> = (key: string, before: T | undefined, now: T | undefined) => void;

export interface InformerWorld {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What there is of one kind in all namespaces, or of those that `query` selects, as the API server told it last. */
export class Informer<T extends KubeObject> {
  readonly #log: Logger;
  readonly #watch: ObjectWatch<T>;
  readonly #listeners: Listener<T>[] = [];

  constructor({ cluster, clock, log }: InformerWorld, path: string, query: Readonly<Record<string, string>> = {}) {
    this.#log = log;
    this.#watch = new ObjectWatch<T>({
      world: { name: 'kuryr', cluster, clock, log },
      path,
      query,
      keyOf,
      keep: withoutManagers,
      onChange: (before, now) => {
        const key = keyOf((now ?? before)!);
        for (const listener of this.#listeners) listener(key, before, now);
      },
    });
  }

  on(listener: Listener<T>): void {
    this.#listeners.push(listener);
  }

  get(key: string): T | undefined {
    return this.#watch.get(key);
  }

  all(): readonly T[] {
    return this.#watch.all();
  }

  get isKnown(): boolean {
    return this.#watch.isKnown;
  }

  known(signal: AbortSignal): Promise<void> {
    return this.#watch.known(signal);
  }

  /** What a request of ours was answered is known before the watch tells of it. */
  note(object: T | undefined): void {
    if (object !== undefined) this.#watch.note(object);
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** From its start until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    this.start();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await this.stop().catch((error: unknown) =>
      this.#log.warn({ error: reportError(error) }, 'the watch did not end as it should'),
    );
  }
}

/** Who applied which field: often the greater part of an object, which nobody here asks for. */
function withoutManagers<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    readonly managedFields?: unknown;
  };
  return { ...object, metadata };
}
