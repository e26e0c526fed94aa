export * from './engine.ts';
export * from './saga.ts';
