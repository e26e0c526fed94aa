import type { ColumnShape, Table } from '../table.ts';

/** What a row must be for a rule to speak of it; a missing value is never. */
export type Condition =
  | { readonly column: number; readonly kind: 'at-most' | 'above'; readonly threshold: number }
  | { readonly column: number; readonly kind: 'is'; readonly code: number };

export interface Rule {
  readonly conditions: readonly Condition[];
  readonly label: number;
  /** Training rows that it speaks of, and those of them that are of another class. */
  readonly covered: number;
  readonly errors: number;
}

export function holds(condition: Condition, table: Table, row: number): boolean {
  const column = table.columns[condition.column]!;
  if (column.kind === 'nominal') return condition.kind === 'is' && column.codes[row] === condition.code;
  if (condition.kind === 'is') return false;
  const value = column.values[row]!;
  return condition.kind === 'at-most' ? value <= condition.threshold : value > condition.threshold;
}

/** `outlook = sunny and humidity <= 75`; `anything` for no condition at all. */
export function describeConditions(conditions: readonly Condition[], columns: readonly ColumnShape[]): string {
  const text = conditions.map((condition) => {
    const column = columns[condition.column]!;
    if (condition.kind !== 'is') {
      return `${column.name} ${condition.kind === 'at-most' ? '<=' : '>'} ${condition.threshold}`;
    }
    return `${column.name} = ${column.kind === 'nominal' ? column.names[condition.code] : condition.code}`;
  });
  return text.length === 0 ? 'anything' : text.join(' and ');
}
