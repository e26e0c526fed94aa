/**
 * Coalesces "this has changed" into few refreshes: each key at most once per interval and never twice at a time, and a
 * change that comes while its key is being refreshed is followed by one more refresh, so that none is lost.
 */
export interface Refresher {
  mark(key: string): void;
  stop(): void;
}

export interface RefresherOptions {
  readonly intervalMs: (key: string) => number;
  /** Must not reject. */
  readonly refresh: (key: string) => Promise<unknown>;
}

export function createRefresher({ intervalMs, refresh }: RefresherOptions): Refresher {
  const states = new Map<string, { dirty: boolean }>();
  let stopped = false;

  async function run(key: string, state: { dirty: boolean }): Promise<void> {
    while (state.dirty && !stopped) {
      state.dirty = false;
      await refresh(key);
      await new Promise((resolve) => setTimeout(resolve, intervalMs(key)));
    }
    states.delete(key);
  }

  return {
    mark(key) {
      if (stopped) return;
      const state = states.get(key);
      if (state !== undefined) state.dirty = true;
      else {
        const fresh = { dirty: true };
        states.set(key, fresh);
        void run(key, fresh);
      }
    },
    stop() {
      stopped = true;
    },
  };
}
