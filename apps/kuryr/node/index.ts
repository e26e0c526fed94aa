export { nodeCommand } from './command.ts';
export { NodeTables, type TableKind } from './tables.ts';
export { watchTables } from './watch.ts';
