import type { Condition } from '../ir/expression.ts';
import type { Dialect } from './ast.ts';
import { filterCondition } from './condition.ts';
import { readFilter } from './parse.ts';

/** The condition of IR that a filter stands for. Throws SF-VERIFY-QUESTION with the column. */
export function parseFilter(text: string, dialect: Dialect = 'tcpdump'): Condition {
  return filterCondition(readFilter(text, dialect), dialect);
}
