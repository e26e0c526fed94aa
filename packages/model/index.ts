export * from './block.ts';
export * from './check.ts';
export * from './environment.ts';
export * from './errors.ts';
export * from './graph.ts';
export * from './ipv4.ts';
export * from './policy-places.ts';
export * from './site.ts';
