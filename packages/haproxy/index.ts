export * from './apply.ts';
export * from './errors.ts';
export * from './render.ts';
export * from './runtime.ts';
export * from './statistics.ts';
export * from './tree.ts';
