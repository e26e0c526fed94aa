import type { Clock, ErrorReport, Logger } from '@superfluidity/core';
import type { Keep } from './keep.ts';
import type { WaitCounts } from './waits.ts';

/** Some things of a class are to be made. */
export interface Order<C> {
  readonly wanted: C;
  /** On which shelf of the class they will lie: what they are alike in, such as the set of security groups. */
  readonly shelf: string;
  readonly count: number;
  /** Somebody waits for them. */
  readonly urgent: boolean;
}

export interface PoolOptions<C, T> {
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Tells each thing as soon as it may be handed out, and resolves when no more will come. What it tells after the signal
   * fired is destroyed by the pool; what it made and does not tell, it destroys itself. It may say by `asked` of how many there
   * is nothing left to do but to wait: the next order then begins.
   */
  readonly make: (
    order: Order<C>,
    ready: (thing: T) => void,
    signal: AbortSignal,
    asked: (made: number) => void,
  ) => Promise<void>;
  readonly destroy: (thing: T) => Promise<void>;
  /** Asked at hand-out: what lay in the pool may have died there. What is not usable is destroyed. Default: all are. */
  readonly usable?: (thing: T) => boolean;
  /** Of what lies on a shelf, these are handed out first. Default: all are alike. */
  readonly prefers?: (thing: T) => boolean;
  /** Refills under way at a time, over all classes; and as many orders for those who wait. What is only waited for is not. */
  readonly concurrency: number;
  /** Refills of one class at a time. Default: no limit of its own. */
  readonly refillsOfClass?: number;
  /** Things in one order. Default: one. */
  readonly orderMost?: number;
  /** Of classes of which `want` says nothing. Default: nothing is kept. */
  readonly keep?: Keep;
  readonly makeTimeoutMs: number;
  /** After a failure the class rests, each time longer by the factor, until one succeeds. */
  readonly backOff: { readonly delayMs: number; readonly factor: number; readonly delayMaxMs: number };
  /** A fine clock for waits, in ms. Default: that of `clock`. */
  readonly stopwatch?: () => number;
  readonly onChange?: (counts: PoolCounts) => void;
}

/** Who asks, waits so long at most in a queue of so many. */
export const WAITING_MOST = 10_000;
/** Shelves of a class: empty ones that nobody waits at are forgotten above it. */
export const SHELVES_MOST = 64;
/** How long the rate at which things are asked for remembers. */
export const DEMAND_MEMORY_MS = 30_000;

export interface PoolCounts {
  readonly name: string;
  /** As few as this, and a refill begins: the minimum, and what is foreseen. */
  readonly wanted: number;
  readonly ready: number;
  readonly hits: number;
  readonly misses: number;
}

export interface PoolStats extends PoolCounts {
  readonly minimum: number;
  /** Absent: there is none. */
  readonly maximum?: number;
  readonly batch: number;
  readonly making: number;
  /** Who asked and has nothing yet. */
  readonly waiting: number;
  /** Came back and lie in the pool again. */
  readonly recycled: number;
  /** Handed out and not come back, where the pool is told what comes back. */
  readonly inUse?: number;
  /** Of those that are ready: they carry traffic already, where somebody plugs them before they are handed out. */
  readonly active?: number;
  /** Of the hits: they carried none yet. */
  readonly late?: number;
  /** Since the last success. */
  readonly failures: number;
  /** Why the last refill failed. Absent after one that did not. */
  readonly trouble?: ErrorReport;
  /** Emptied by hand, and not refilled before somebody asks. */
  readonly paused: boolean;
  /** How often something was asked for, of late. */
  readonly askedPerS: number;
  /** How long a refill took, of late. */
  readonly refillMs: number;
  /** How long the oldest has lain in the pool. */
  readonly oldestMs?: number;
  readonly waits: WaitCounts;
  readonly shelves: readonly { readonly name: string; readonly ready: number }[];
}
