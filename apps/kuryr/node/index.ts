export { nodeCommand } from './command.ts';
export { NodeTables } from './tables.ts';
export { watchTables } from './watch.ts';
