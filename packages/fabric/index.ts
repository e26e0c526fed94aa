export * from './backend.ts';
export * from './types.ts';
