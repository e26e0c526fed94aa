import { SuperfluidityError } from '@superfluidity/core';
import type { Cloud } from './cloud.ts';
import { LIMITS } from './limits.ts';

/** The answer was lost, so that nobody knows whether it was done. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof SuperfluidityError && error.details.data?.['mayBeDone'] === true;
}

export interface Once<T> {
  /** What carries the mark of this creation, which nothing else has: a name or a tag. The oldest first. */
  find(): Promise<readonly T[]>;
  create(): Promise<T>;
  /** What lost requests made besides. */
  remove(surplus: T): Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Creates one thing, whatever becomes of the answers. A POST is not repeated by the client when its answer was lost; here
 * it is looked whether the thing is there, more than once, since a service may still be at it, and only then asked again.
 */
export async function createOnce<T>(cloud: Cloud, { find, create, remove, signal }: Once<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await create();
    } catch (error) {
      if (!mayBeDone(error)) throw error;
      const found = await lookFor(cloud, find, signal);
      if (found !== undefined) {
        for (const surplus of found.others) await remove(surplus);
        return found.first;
      }
      if (count >= LIMITS.creations) throw error;
    }
  }
}

async function lookFor<T>(cloud: Cloud, find: () => Promise<readonly T[]>, signal: AbortSignal) {
  for (const pauseMs of LIMITS.looksAfterMs) {
    await cloud.clock.sleep(pauseMs, signal);
    const [first, ...others] = await find();
    if (first !== undefined) return { first, others };
  }
  return undefined;
}

/** What is there already, else `createOnce`: for things that outlive the one who asks for them. */
export async function findOrCreate<T>(cloud: Cloud, once: Once<T>): Promise<T> {
  const [first] = await once.find();
  return first ?? createOnce(cloud, once);
}
