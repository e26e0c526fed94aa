export * from './arguments.ts';
export type * from './configuration.ts';
export * from './expand.ts';
export * from './limits.ts';
export * from './mistake.ts';
export * from './names.ts';
export * from './parse.ts';
export * from './syntax.ts';
export type { ClickPlace } from './tokens.ts';
