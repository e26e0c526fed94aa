export * from './descriptor.ts';
export type * from './dialect.ts';
export { formats } from './dialect.ts';
export { dialects } from './dialects.ts';
export * from './errors.ts';
export type * from './files.ts';
export * from './native/read.ts';
export { nativeJsonSchema } from './native/schema.ts';
export * from './native/write.ts';
