export * from './address-pool.ts';
export * from './backend.ts';
export * from './errors.ts';
export * from './ipv4.ts';
export * from './pool.ts';
export * from './render-chain.ts';
export * from './site-prefix.ts';
export * from './types.ts';
