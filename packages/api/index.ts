export * from './client.ts';
export type * from './handler.ts';
export * from './routes.ts';
export * as schemas from './schemas.ts';
export type * from './types.ts';
