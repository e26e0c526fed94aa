import type { Formula } from '../formula.ts';
import { ranges } from '../intervals.ts';
import type { SymbolId, Value } from '../value.ts';

/**
 * A formula as a question in SMT-LIB 2.6, logic QF_BV, that ends with the values of the symbols. Parts that occur several
 * times (a decision diagram is full of them) are defined once.
 */
export function question(formula: Formula, widths: ReadonlyMap<SymbolId, number>, timeoutMs: number): string {
  const lines = ['(set-logic QF_BV)', `(set-option :timeout ${Math.max(1, Math.round(timeoutMs))})`];
  for (const [symbol, width] of widths) lines.push(`(declare-const ${name(symbol)} (_ BitVec ${width}))`);
  lines.push(`(assert ${new Printer(lines).formula(formula)})`, '(check-sat)');
  if (widths.size > 0) lines.push(`(get-value (${[...widths.keys()].map(name).join(' ')}))`);
  return lines.join('\n');
}

/** `sat` and the values, `unsat`, or anything else, which is no answer. */
export function readAnswer(text: string): ReadonlyMap<SymbolId, bigint> | 'unsatisfiable' | 'unknown' {
  const [verdict] = text.trimStart().split('\n', 1);
  if (verdict === 'unsat') return 'unsatisfiable';
  if (verdict !== 'sat') return 'unknown';
  const values = new Map<SymbolId, bigint>();
  for (const [, symbol, base, digits] of text.matchAll(/\(s(\d+) #([xb])([0-9a-f]+)\)/g)) {
    values.set(Number(symbol), BigInt(`0${base}${digits}`));
  }
  return values;
}

const name = (symbol: SymbolId) => `s${symbol}`;
const literal = (value: bigint, width: number) => `(_ bv${value} ${width})`;

class Printer {
  readonly #lines: string[];
  readonly #known = new Map<Formula, string>();

  constructor(lines: string[]) {
    this.#lines = lines;
  }

  formula(formula: Formula): string {
    const known = this.#known.get(formula);
    if (known !== undefined) return known;
    const text = this.#text(formula);
    if (formula.kind !== 'all' && formula.kind !== 'any') return text;
    const defined = `f${this.#known.size}`;
    this.#lines.push(`(define-fun ${defined} () Bool ${text})`);
    this.#known.set(formula, defined);
    return defined;
  }

  #text(formula: Formula): string {
    switch (formula.kind) {
      case 'all':
      case 'any': {
        if (formula.of.length === 0) return formula.kind === 'all' ? 'true' : 'false';
        return `(${formula.kind === 'all' ? 'and' : 'or'} ${formula.of.map((part) => this.formula(part)).join(' ')})`;
      }
      case 'not':
        return `(not ${this.formula(formula.of)})`;
      case 'equal':
        return `(= ${value(formula.left)} ${value(formula.right)})`;
      case 'less':
        return `(bvult ${value(formula.left)} ${value(formula.right)})`;
      case 'masked': {
        const { width } = formula.of;
        return `(= (bvand ${value(formula.of)} ${literal(formula.mask, width)}) ${literal(formula.value, width)})`;
      }
      case 'within': {
        const of = value(formula.of);
        const { width } = formula.of;
        const parts = ranges(formula.set).map(([low, high]) =>
          low === high
            ? `(= ${of} ${literal(low, width)})`
            : `(and (bvuge ${of} ${literal(low, width)}) (bvule ${of} ${literal(high, width)}))`,
        );
        return parts.length === 1 ? parts[0]! : `(or ${parts.join(' ')} false)`;
      }
    }
  }
}

function value(of: Value): string {
  switch (of.kind) {
    case 'const':
      return literal(of.value, of.width);
    case 'sum':
      return of.offset === 0n ? name(of.symbol) : `(bvadd ${name(of.symbol)} ${literal(of.offset, of.width)})`;
    case 'term': {
      const parts = of.of.map(value);
      const { op } = of;
      switch (op.kind) {
        case 'add':
        case 'sub':
        case 'mul':
        case 'and':
        case 'or':
        case 'xor':
        case 'not':
          return `(bv${op.kind} ${parts.join(' ')})`;
        case 'left':
          return `(bvshl ${parts[0]} ${literal(BigInt(op.by), of.width)})`;
        case 'right':
          return `(bvlshr ${parts[0]} ${literal(BigInt(op.by), of.width)})`;
        case 'slice':
          return `((_ extract ${op.low + of.width - 1} ${op.low}) ${parts[0]})`;
        case 'extend':
          return `((_ zero_extend ${of.width - of.of[0]!.width}) ${parts[0]})`;
        case 'concat':
          return parts.length === 1 ? parts[0]! : `(concat ${parts.join(' ')})`;
      }
    }
  }
}
