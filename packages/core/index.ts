export * from './clock.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './json.ts';
export * from './lists.ts';
export * from './log.ts';
export * from './problems.ts';
export * from './units.ts';
