export * from './driver.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './fence.ts';
export * from './metrics.ts';
export type * from './stacks.ts';
export * from './terminal.ts';
export type * from './workflows.ts';
export { openWithSecrets, type SecretSource } from './secrets.ts';
