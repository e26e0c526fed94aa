export * from './errors.ts';
export * from './native/read.ts';
export { nativeJsonSchema } from './native/schema.ts';
export * from './native/write.ts';
export * from './descriptor.ts';
export type * from './files.ts';
export { readSol006 } from './sol006/read.ts';
export { writeSol006 } from './sol006/write.ts';
