/** With the engine: it takes a moment to load. Those who only ask for proofs enter by `prover`, `plane` and `report`. */
export * from './check.ts';
export * from './likeness.ts';
export * from './network.ts';
export * from './prove.ts';
export * from './realised.ts';
export type * from './realised-plane.ts';
export type * from './subject.ts';
export * from './ways.ts';
