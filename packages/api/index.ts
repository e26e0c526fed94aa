export {
  ApiError,
  type CallInput,
  type CallReply,
  type Client,
  type ClientOptions,
  createClient,
  SESSION_HEADER,
} from './client.ts';
export * from './errors.ts';
export type * from './handler.ts';
export { cursorAt, type ListPage, type ListQuery, type ListShape, pageOf, type Position, positionOf } from './lists.ts';
export { hostShape, listShapes } from './list-shapes.ts';
export { racksOf } from './racks.ts';
export * from './routes.ts';
export * as schemas from './schemas.ts';
export * from './terminal.ts';
export * from './terminal-client.ts';
export type * from './types.ts';
