import { append, SuperfluidityError } from '@superfluidity/core';
import { LIMITS } from '../limits.ts';

/** All of a list that is told in pages, each after a marker; one that is not full is the last. */
export async function pagesOf<T>(
  doing: string,
  page: (marker: string | undefined) => Promise<readonly T[]>,
  markerOf: (last: T) => string,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let count = 0; count < LIMITS.pages; count += 1) {
    const last = all.at(-1);
    const items = await page(last === undefined ? undefined : markerOf(last));
    append(all, items);
    if (items.length < LIMITS.pageSize) return all;
  }
  throw new SuperfluidityError('SF-OPENSTACK-ANSWER', { doing, reason: `more than ${LIMITS.pages} pages` });
}
