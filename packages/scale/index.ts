export * from './errors.ts';
export { solveFull, type FullSolution, type UnlikeQueues } from './mdp/full-state.ts';
export * from './mdp/policy.ts';
export * from './mdp/problem.ts';
export * from './mdp/simulate.ts';
export * from './mdp/solve-scaling.ts';
export type { LongRun } from './mdp/stationary.ts';
export { type Threshold, thresholdPolicy, thresholdsOf } from './mdp/thresholds.ts';
export type * from './mdp/vm.ts';
