import type { Pool } from '@superfluidity/api';
import type { PoolStatus } from '@superfluidity/site';

export function poolView({ waits, shelves, trouble, ...pool }: PoolStatus): Pool {
  return {
    ...pool,
    waits: { boundsMs: [...waits.boundsMs], counts: [...waits.counts], sumMs: waits.sumMs },
    shelves: shelves.map((shelf) => ({ ...shelf })),
    ...(trouble === undefined ? {} : { trouble }),
  };
}
