import type { BinaryOp } from '../ir/expression.ts';
import { topOf } from './intervals.ts';

/** A number that nobody knows. */
export type SymbolId = number;

/** What a location holds during symbolic execution. `sum` is `(symbol + offset) mod 2^width`. */
export type Value =
  | { readonly kind: 'const'; readonly width: number; readonly value: bigint }
  | { readonly kind: 'sum'; readonly width: number; readonly symbol: SymbolId; readonly offset: bigint }
  | { readonly kind: 'term'; readonly width: number; readonly op: TermOp; readonly of: readonly Value[] };

export type TermOp =
  | { readonly kind: BinaryOp | 'not' | 'concat' | 'extend' }
  | { readonly kind: 'left' | 'right'; readonly by: number }
  | { readonly kind: 'slice'; readonly low: number };

export function constantValue(value: bigint, width: number): Value {
  return { kind: 'const', width, value: value & topOf(width) };
}

export function symbolValue(symbol: SymbolId, width: number): Value {
  return { kind: 'sum', width, symbol, offset: 0n };
}

/** A term, or something simpler that is always equal to it. */
export function term(op: TermOp, of: readonly Value[], width: number): Value {
  if (of.every((value) => value.kind === 'const')) {
    return constantValue(
      compute(
        op,
        of.map((value) => (value as { value: bigint }).value),
        of,
        width,
      ),
      width,
    );
  }
  const [left, right] = of;
  if (op.kind === 'add' || op.kind === 'sub') {
    const sign = op.kind === 'add' ? 1n : -1n;
    if (left!.kind === 'sum' && right!.kind === 'const') return plus(left!, sign * right!.value);
    if (op.kind === 'add' && left!.kind === 'const' && right!.kind === 'sum') return plus(right!, left!.value);
    if (op.kind === 'sub' && sameValue(left!, right!)) return constantValue(0n, width);
  }
  const whole =
    (op.kind === 'slice' && op.low === 0 && width === left!.width) || (op.kind === 'extend' && width === left!.width);
  if (whole) return left!;
  return { kind: 'term', width, op, of };
}

function plus(value: Extract<Value, { kind: 'sum' }>, amount: bigint): Value {
  return { ...value, offset: (value.offset + amount) & topOf(value.width) };
}

/** What the operation gives for numbers; `widths` are those of the operands. */
export function compute(
  op: TermOp,
  values: readonly bigint[],
  widths: readonly { readonly width: number }[],
  width: number,
): bigint {
  const [a, b] = values as [bigint, bigint];
  const top = topOf(width);
  switch (op.kind) {
    case 'add':
      return (a + b) & top;
    case 'sub':
      return (a - b) & top;
    case 'mul':
      return (a * b) & top;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'not':
      return ~a & top;
    case 'left':
      return (a << BigInt(op.by)) & top;
    case 'right':
      return a >> BigInt(op.by);
    case 'slice':
      return (a >> BigInt(op.low)) & top;
    case 'extend':
      return a;
    case 'concat':
      return values.reduce((sum, value, i) => (sum << BigInt(widths[i]!.width)) | value, 0n);
  }
}

/** Equal whatever the symbols are, as far as their form shows it. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.width !== b.width) return false;
  if (a.kind === 'const') return b.kind === 'const' && a.value === b.value;
  if (a.kind === 'sum') return b.kind === 'sum' && a.symbol === b.symbol && a.offset === b.offset;
  if (b.kind !== 'term') return false;
  return (
    a.op.kind === b.op.kind &&
    ('by' in a.op ? a.op.by : 0) === ('by' in b.op ? b.op.by : 0) &&
    ('low' in a.op ? a.op.low : 0) === ('low' in b.op ? b.op.low : 0) &&
    a.of.length === b.of.length &&
    a.of.every((part, i) => sameValue(part, b.of[i]!))
  );
}

/** The number, when the symbols are known. */
export function evaluate(value: Value, symbols: (symbol: SymbolId) => bigint): bigint {
  switch (value.kind) {
    case 'const':
      return value.value;
    case 'sum':
      return (symbols(value.symbol) + value.offset) & topOf(value.width);
    case 'term':
      return compute(
        value.op,
        value.of.map((part) => evaluate(part, symbols)),
        value.of,
        value.width,
      );
  }
}

export function symbolsOf(value: Value, found: Set<SymbolId> = new Set()): Set<SymbolId> {
  if (value.kind === 'sum') found.add(value.symbol);
  else if (value.kind === 'term') for (const part of value.of) symbolsOf(part, found);
  return found;
}

/** The symbols of a value, each with its own width. */
export function symbolWidths(value: Value, found: Map<SymbolId, number> = new Map()): Map<SymbolId, number> {
  if (value.kind === 'sum') found.set(value.symbol, value.width);
  else if (value.kind === 'term') for (const part of value.of) symbolWidths(part, found);
  return found;
}

/** The same with some symbols replaced. */
export function replaced(value: Value, by: (symbol: SymbolId) => Value | undefined): Value {
  if (value.kind === 'const') return value;
  if (value.kind === 'sum') {
    const other = by(value.symbol);
    if (other === undefined) return value;
    return term({ kind: 'add' }, [other, constantValue(value.offset, value.width)], value.width);
  }
  return term(
    value.op,
    value.of.map((part) => replaced(part, by)),
    value.width,
  );
}
