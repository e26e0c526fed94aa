export * from './cloud.ts';
export * from './credentials.ts';
export * from './errors.ts';
export type { HttpAnswer, Method } from './exchange.ts';
export * from './services/qos.ts';
export * from './services/sfc.ts';
export * from './services/trunk.ts';
export type { CatalogueEntry, Session } from './session.ts';
