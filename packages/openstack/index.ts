export * from './cloud.ts';
export * from './credentials.ts';
export * from './errors.ts';
export type { HttpAnswer, Method } from './exchange.ts';
export type { CatalogueEntry, Session } from './session.ts';
