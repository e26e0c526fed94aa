export * from './errors.ts';
export * from './native/read.ts';
export { nativeJsonSchema } from './native/schema.ts';
export * from './native/write.ts';
