import type { NotificationHandler } from './backend.ts';

/** Handlers by channel. A handler that throws does not keep the others from being told. */
export class Channels {
  readonly #handlers = new Map<string, Set<NotificationHandler>>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get names(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /** True when it is the first of its channel. */
  add(channel: string, handler: NotificationHandler): boolean {
    const handlers = this.#handlers.get(channel);
    if (handlers !== undefined) {
      handlers.add(handler);
      return false;
    }
    this.#handlers.set(channel, new Set([handler]));
    return true;
  }

  /** True when it was the last of its channel. */
  remove(channel: string, handler: NotificationHandler): boolean {
    const handlers = this.#handlers.get(channel);
    if (handlers === undefined || !handlers.delete(handler) || handlers.size > 0) return false;
    this.#handlers.delete(channel);
    return true;
  }

  tell(channel: string, payload: string | undefined): void {
    for (const handler of this.#handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  tellAll(): void {
    for (const channel of this.names) this.tell(channel, undefined);
  }
}
