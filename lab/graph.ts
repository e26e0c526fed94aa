import { invariant } from '@superfluidity/core';

/**
 * Runs every item when those named by its `after` are done; names that are not among the items count as done. The first
 * failure is thrown when what was running has ended, and nothing new begins.
 */
export async function runGraph<T extends { readonly name: string; readonly after: readonly string[] }>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = new Map(items.map((item) => [item.name, item]));
  invariant(waiting.size === items.length, 'two items of a graph have the same name');
  const running = new Map<string, Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const isReady = ({ after }: T) => after.every((name) => !waiting.has(name) && !running.has(name));
  while (running.size > 0 || (waiting.size > 0 && failure === undefined)) {
    for (const item of waiting.values()) {
      if (failure !== undefined || running.size >= atOnce) break;
      if (!isReady(item)) continue;
      waiting.delete(item.name);
      const done = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(item.name));
      running.set(item.name, done);
    }
    invariant(running.size > 0, `items wait for each other: ${[...waiting.keys()].join(', ')}`);
    await Promise.race(running.values());
  }
  if (failure !== undefined) throw failure.error;
}
