export { exactly, type Keep, KURYR } from './keep.ts';
export { Pool } from './pool.ts';
export type { Order, PoolCounts, PoolOptions, PoolStats } from './types.ts';
export type { WaitCounts } from './waits.ts';
