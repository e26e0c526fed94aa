/** A bound on a metric as the configuration writes it: `{} < 0.92`. The braces stand for what was measured. */
export interface Comparison {
  readonly operator: '<' | '<=' | '>' | '>=' | '==';
  readonly bound: number;
}

const FORM = /^\s*\{\}\s*(<=|>=|==|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i;

/** Undefined: it is not of that form. Nothing is evaluated. */
export function parseComparison(text: string): Comparison | undefined {
  const match = text.length > 128 ? null : FORM.exec(text);
  if (match === null) return undefined;
  const bound = Number(match[2]);
  return Number.isFinite(bound) ? { operator: match[1] as Comparison['operator'], bound } : undefined;
}

export function satisfies(value: number, { operator, bound }: Comparison): boolean {
  switch (operator) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    default:
      return value === bound;
  }
}
