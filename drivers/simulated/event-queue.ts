import type { SiteEvent } from '@superfluidity/site';

/** Events between the site and one reader. When the reader is too slow they are replaced by one `overflow`. */
export class EventQueue {
  readonly #bound: number;
  #events: SiteEvent[] = [];
  #wake: (() => void) | undefined;

  constructor(bound: number) {
    this.#bound = bound;
  }

  push(event: SiteEvent): void {
    if (this.#events.length < this.#bound) this.#events.push(event);
    else this.#events = [{ kind: 'overflow' }];
    this.#wake?.();
  }

  /** Ends when the signal fires. */
  async *read(signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const stop = () => this.#wake?.();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        const events = this.#events;
        this.#events = [];
        yield* events;
        if (this.#events.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
