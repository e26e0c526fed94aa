import { type Clock, SuperfluidityError } from '@superfluidity/core';
import type { Cluster, KubeObject, Meta } from '@superfluidity/driver-kubernetes';

/** What becomes of a request that changes something. */
export type Fate =
  | { readonly kind: 'answered' }
  /** It never arrives. */
  | { readonly kind: 'lost' }
  /** It is carried out, and its answer does not come. */
  | { readonly kind: 'unanswered' }
  /** It is carried out, its answer does not come, and it is sent again. */
  | { readonly kind: 'repeated' }
  /** Whoever sent it has given it up when it arrives. */
  | { readonly kind: 'late'; readonly ms: number };

export interface Luck {
  readonly fate: Fate;
  readonly tookMs: number;
}

interface Change {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

interface Place {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/**
 * As much of an API server as controllers of Kuryr use, with the rules of its objects: versions, preconditions, finalizers. Tests against a real
 * one say whether that is how it is; this one can lose what it is asked and what it answers, at a moment that a test chooses.
 */
export class ModelApiServer {
  readonly #clock: Clock;
  readonly #objects = new Map<string, KubeObject>();
  readonly #changes: Change[] = [];
  readonly #woken = new Set<() => void>();
  readonly #late = new Set<() => void>();
  #version = 0;
  /** How many requests that change something came, by verb and collection. */
  readonly writes = new Map<string, number>();
  /** Of requests that change KuryrPorts. */
  luck: () => Luck = () => ({ fate: { kind: 'answered' }, tookMs: 0 });
  /** Until a watch tells of a change. */
  lagMs: () => number = () => 0;
  /** After each change. */
  onChange: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As one controller sees it, until it is cut off: then nothing of what it asks arrives any more. */
  connect(): { readonly cluster: Cluster; cut(): void } {
    let isCut = false;
    const reach = () => {
      if (isCut) throw unavailable('the controller is dead');
    };
    const change = <T>(verb: string, path: string, work: () => T, signal: AbortSignal): Promise<T> => {
      reach();
      return this.#change(verb, placeOf(path), work, signal, () => isCut);
    };
    const cluster = {
      list: async (path: string) => {
        reach();
        return { items: this.all(placeOf(path).collection), version: String(this.#version) };
      },
      lines: async (path: string, { query, signal }: { query: { resourceVersion: string }; signal: AbortSignal }) => {
        reach();
        return this.#lines(placeOf(path).collection, Number(query.resourceVersion), signal);
      },
      create: async (path: string, object: KubeObject, signal: AbortSignal) =>
        change('create', path, () => this.create(path, object), signal),
      merge: async (path: string, patch: Readonly<Record<string, unknown>>, signal: AbortSignal) =>
        change('merge', path, () => this.merge(path, patch), signal),
      delete: async (path: string, _grace: number | undefined, signal: AbortSignal, uid?: string) =>
        change('delete', path, () => this.delete(path, uid), signal),
    };
    return { cluster: cluster as unknown as Cluster, cut: () => void (isCut = true) };
  }

  all(collection: string): readonly KubeObject[] {
    return [...this.#objects].flatMap(([key, object]) =>
      key.startsWith(`${collection} `) ? [structuredClone(object)] : [],
    );
  }

  create(path: string, object: KubeObject): KubeObject {
    const { collection, namespace } = placeOf(path);
    const key = keyOf(collection, namespace, object.metadata.name);
    if (this.#objects.has(key)) throw refused(409, `${key} is there already`);
    const more = { uid: `uid-${this.#version + 1}`, ...(namespace === undefined ? {} : { namespace }) };
    return this.#put('ADDED', collection, key, { ...object, metadata: { ...object.metadata, ...more } });
  }

  merge(path: string, patch: Readonly<Record<string, unknown>>): KubeObject | undefined {
    const { collection, namespace, name } = placeOf(path);
    const key = keyOf(collection, namespace, name!);
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    const { uid, resourceVersion, ...metadata } = (patch['metadata'] ?? {}) as Meta;
    const { metadata: its } = before;
    if ((uid ?? its.uid) !== its.uid || (resourceVersion ?? its.resourceVersion) !== its.resourceVersion)
      throw refused(409, `${key} is another one by now`);
    const now = merged(before, { ...patch, metadata }) as unknown as KubeObject;
    const isOver = now.metadata.deletionTimestamp !== undefined && (now.metadata.finalizers ?? []).length === 0;
    return this.#put(isOver ? 'DELETED' : 'MODIFIED', collection, key, now);
  }

  /** What is left of it. */
  delete(path: string, uid?: string): KubeObject | undefined {
    const { collection, namespace, name } = placeOf(path);
    const key = keyOf(collection, namespace, name!);
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    if (uid !== undefined && before.metadata.uid !== uid) throw refused(409, `${key} is another one`);
    if (before.metadata.deletionTimestamp !== undefined) return structuredClone(before);
    const isHeld = (before.metadata.finalizers ?? []).length > 0;
    const metadata = { ...before.metadata, ...(isHeld ? { deletionTimestamp: 'now' } : {}) };
    return this.#put(isHeld ? 'MODIFIED' : 'DELETED', collection, key, { ...before, metadata });
  }

  /** What is on its way arrives no more. */
  forgetLate(): void {
    for (const forget of this.#late) forget();
    this.#late.clear();
  }

  async #change<T>(
    verb: string,
    { collection }: Place,
    work: () => T,
    signal: AbortSignal,
    isCut: () => boolean,
  ): Promise<T> {
    const what = `${verb} ${collection}`;
    this.writes.set(what, (this.writes.get(what) ?? 0) + 1);
    const { fate, tookMs } = collection.endsWith('kuryrports') ? this.luck() : ANSWERED;
    if (tookMs > 0) await this.#clock.sleep(tookMs, signal);
    if (isCut()) throw unavailable('the controller is dead');
    switch (fate.kind) {
      case 'answered':
        return work();
      case 'lost':
        throw unavailable('it did not arrive');
      case 'unanswered':
        work();
        throw unavailable('the answer was lost');
      case 'repeated':
        work();
        return work();
      case 'late':
        this.#arrive(work, fate.ms);
        throw unavailable('it takes too long');
    }
  }

  #arrive(work: () => unknown, ms: number): void {
    let isForgotten = false;
    const forget = () => void (isForgotten = true);
    this.#late.add(forget);
    void this.#clock.sleep(ms).then(() => {
      this.#late.delete(forget);
      if (isForgotten) return;
      try {
        work();
      } catch {
        // Nobody hears what it is answered.
      }
    });
  }

  #put(type: Change['type'], collection: string, key: string, object: KubeObject): KubeObject {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const stored = structuredClone({ ...object, metadata });
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, stored);
    this.#changes.push({ version: this.#version, collection, type, object: stored });
    this.onChange();
    for (const wake of this.#woken) wake();
    return structuredClone(stored);
  }

  async *#lines(collection: string, since: number, signal: AbortSignal): AsyncGenerator<string> {
    for (let at = 0; !signal.aborted; ) {
      const next = this.#changes[at];
      if (next === undefined) await this.#more(signal);
      else {
        at += 1;
        const { version, type, object } = next;
        if (next.collection !== collection || version <= since) continue;
        const lagMs = this.lagMs();
        if (lagMs > 0) await this.#clock.sleep(lagMs, signal);
        yield JSON.stringify({ type, object });
      }
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#woken.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#woken.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

const ANSWERED: Luck = { fate: { kind: 'answered' }, tookMs: 0 };

const keyOf = (collection: string, namespace: string | undefined, name: string): string =>
  `${collection} ${namespace ?? ''}/${name}`;

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE`, of which much may be lacking. The collection is that of all namespaces. */
function placeOf(path: string): Place {
  const [, root = '', rest = ''] = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const parts = rest.split('/');
  const isWithin = parts[0] === 'namespaces' && parts.length > 2;
  const [resource, name] = isWithin ? parts.slice(2) : parts;
  return { collection: `${root}/${resource}`, namespace: isWithin ? parts[1] : undefined, name };
}

/** RFC 7396. */
function merged(before: object, patch: object): Record<string, unknown> {
  const now: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    const was = now[name];
    if (value === null) delete now[name];
    else if (typeof value === 'object' && !Array.isArray(value))
      now[name] = merged(typeof was === 'object' && was !== null ? was : {}, value as object);
    else now[name] = value;
  }
  return now;
}

const refused = (status: number, reason: string) =>
  new SuperfluidityError('SF-KUBE-REFUSED', { doing: 'ask a model', reason, data: { status } });
const unavailable = (reason: string) => new SuperfluidityError('SF-SITE-UNAVAILABLE', { doing: 'ask a model', reason });
