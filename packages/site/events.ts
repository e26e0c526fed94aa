import type { SiteEvent } from './driver.ts';

const QUEUE_MAX = 1000;

/** Hands every event to every reader. A reader that falls behind loses events and is told so once. */
export class Events {
  readonly #readers = new Set<(event: SiteEvent) => void>();

  emit(event: SiteEvent): void {
    for (const reader of this.#readers) reader(event);
  }

  /** Listens from this call on, not only from the first reading. */
  read(signal: AbortSignal): AsyncIterable<SiteEvent> {
    let queue: SiteEvent[] = [];
    let wake = () => {};
    const reader = (event: SiteEvent) => {
      if (queue.length < QUEUE_MAX) queue.push(event);
      else queue[QUEUE_MAX - 1] = { kind: 'overflow' };
      wake();
    };
    const stop = () => {
      this.#readers.delete(reader);
      wake();
    };
    this.#readers.add(reader);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const take = () => {
      const ready = queue;
      queue = [];
      return ready;
    };
    const more = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
        if (queue.length > 0 || signal.aborted) resolve();
      });
    return (async function* () {
      try {
        while (!signal.aborted) {
          yield* take();
          await more();
        }
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    })();
  }
}
