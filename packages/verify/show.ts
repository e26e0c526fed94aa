/** Verdicts as text, without the engine: printing what others proved does not load that. */
export { pathLines, verdictText } from './report/text.ts';
