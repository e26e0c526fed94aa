import type { Sample } from '@superfluidity/api';
import type { Clock } from '@superfluidity/core';
import type { Telemetry } from './types.ts';

export interface TelemetryOptions {
  readonly clock: Clock;
  readonly limits?: Partial<TelemetryLimits>;
}

export interface TelemetryLimits {
  readonly samplesPerService: number;
  /** Above it the service that was silent for longest is forgotten. */
  readonly services: number;
  /** A follower that reads too slowly loses the oldest ones of what waits for it. */
  readonly waitingPerFollower: number;
  /** What arrives within so long travels together. */
  readonly batchMs: number;
}

export const telemetryLimits: TelemetryLimits = {
  samplesPerService: 20_000,
  services: 200,
  waitingPerFollower: 5_000,
  batchMs: 100,
};

interface Follower {
  waiting: Sample[];
  wake: () => void;
}

export function createTelemetry({ clock, limits: given }: TelemetryOptions): Telemetry {
  const limits = { ...telemetryLimits, ...given };
  // In the order of their last samples, since a key that is set again after a deletion goes to the end.
  const rings = new Map<string, SampleRing>();
  const followers = new Map<string, Set<Follower>>();

  return {
    record(service, samples) {
      if (samples.length === 0) return;
      const ring = rings.get(service) ?? new SampleRing(limits.samplesPerService);
      rings.delete(service);
      rings.set(service, ring);
      if (rings.size > limits.services) rings.delete(rings.keys().next().value!);
      ring.push(samples);
      for (const follower of followers.get(service) ?? []) {
        follower.waiting = [...follower.waiting, ...samples].slice(-limits.waitingPerFollower);
        follower.wake();
      }
    },
    list(service, since, limit) {
      const newer = rings.get(service)?.since(since) ?? [];
      return newer.slice(-limit);
    },
    async *follow(service, signal) {
      const follower: Follower = { waiting: [], wake: () => {} };
      const group = followers.get(service) ?? new Set();
      followers.set(service, group.add(follower));
      const onAbort = () => follower.wake();
      signal.addEventListener('abort', onAbort);
      try {
        while (!signal.aborted) {
          if (follower.waiting.length === 0) {
            await new Promise<void>((resolve) => {
              follower.wake = resolve;
            });
            await clock.sleep(limits.batchMs, signal).catch(() => {});
            continue;
          }
          const batch = follower.waiting;
          follower.waiting = [];
          yield batch;
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
        group.delete(follower);
        if (group.size === 0 && followers.get(service) === group) followers.delete(service);
      }
    },
    forget(service) {
      rings.delete(service);
    },
  };
}

/** The latest samples in the order in which they came. */
class SampleRing {
  readonly #capacity: number;
  #items: Sample[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(samples: readonly Sample[]): void {
    for (const sample of samples) this.#items.push(sample);
    // Cutting only when it is half too long makes the cost of a push constant on average.
    if (this.#items.length > 1.5 * this.#capacity) this.#items = this.#items.slice(-this.#capacity);
  }

  /** Those whose time is later. Units have clocks of their own: a late one may stand before earlier ones. */
  since(t: number): readonly Sample[] {
    return this.#items.slice(-this.#capacity).filter((sample) => sample.t > t);
  }
}
