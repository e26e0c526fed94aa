import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { LIMITS } from './limits.ts';

/** Where the ports of the pods of this node come from: the watch of the API server, or a test. */
export interface PortSink {
  put(port: KuryrPort): void;
  remove(namespace: string, name: string): void;
  /** All that there is has been told once. */
  setKnown(isKnown: boolean): void;
}

export const podKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** What the controller wants for the pods of this node. Who waits for something is woken by the change that brings it. */
export class PortRegistry implements PortSink {
  readonly #ports = new Map<string, KuryrPort>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #listeners: ((key: string, port: KuryrPort | undefined) => void)[] = [];
  readonly #knownListeners: (() => void)[] = [];
  #isKnown = false;

  get(key: string): KuryrPort | undefined {
    return this.#ports.get(key);
  }

  entries(): IterableIterator<readonly [string, KuryrPort]> {
    return this.#ports.entries();
  }

  get size(): number {
    return this.#ports.size;
  }

  /** False until the list was read: what is not here may be there all the same. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  setKnown(isKnown: boolean): void {
    this.#isKnown = isKnown;
    for (const listener of this.#knownListeners) listener();
  }

  /** Called when all that there is has been told. */
  onKnown(listener: () => void): void {
    this.#knownListeners.push(listener);
  }

  /** More than a node can have are not kept: their pods are told to try again. */
  put(port: KuryrPort): void {
    const key = podKey(port.metadata.namespace, port.metadata.name);
    if (!this.#ports.has(key) && this.#ports.size >= LIMITS.ports) return;
    this.#ports.set(key, port);
    this.#tell(key, port);
  }

  remove(namespace: string, name: string): void {
    const key = podKey(namespace, name);
    if (this.#ports.delete(key)) this.#tell(key, undefined);
  }

  /** Called after each change. */
  onChange(listener: (key: string, port: KuryrPort | undefined) => void): void {
    this.#listeners.push(listener);
  }

  /** What `look` finds, as soon as it finds something; it may throw. Rejects with the reason of the signal. */
  async until<T>(key: string, look: (port: KuryrPort | undefined) => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const found = look(this.#ports.get(key));
      if (found !== undefined) return found;
      await this.#change(key, signal);
    }
  }

  #change(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = () => {
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #tell(key: string, port: KuryrPort | undefined): void {
    for (const wake of this.#waiting.get(key) ?? []) wake();
    for (const listener of this.#listeners) listener(key, port);
  }
}
