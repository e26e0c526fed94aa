/** What is written to ask with, without the engine: reading a descriptor does not load that. */
export { parseFilter } from './filter/filter.ts';
export { parseFormula } from './netctl/parse.ts';
