export * from './block.ts';
export * from './environment.ts';
export * from './site.ts';
