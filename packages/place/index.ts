export * from './errors.ts';
export * from './from-service.ts';
export * from './latency.ts';
export * from './place.ts';
export type * from './problem.ts';
export * from './request.ts';
export type * from './solver.ts';
