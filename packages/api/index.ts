export * from './client.ts';
export * from './errors.ts';
export type * from './handler.ts';
export { cursorAt, type ListPage, type ListQuery, type ListShape, pageOf, type Position, positionOf } from './lists.ts';
export { hostShape, listShapes } from './list-shapes.ts';
export * from './routes.ts';
export * as schemas from './schemas.ts';
export type * from './types.ts';
