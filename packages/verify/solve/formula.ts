import type { CompareOp } from '../ir/expression.ts';
import { complement, has, type Intervals, intervals, single, topOf } from './intervals.ts';
import { evaluate, type SymbolId, type Value } from './value.ts';

/** A condition on values. */
export type Formula =
  | { readonly kind: 'within'; readonly of: Value; readonly set: Intervals }
  | { readonly kind: 'masked'; readonly of: Value; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'equal' | 'less'; readonly left: Value; readonly right: Value }
  | { readonly kind: 'not'; readonly of: Formula }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Formula[] };

export const truth: Formula = { kind: 'all', of: [] };
export const falsehood: Formula = { kind: 'any', of: [] };

export function isTruth(formula: Formula): boolean {
  return formula.kind === 'all' && formula.of.length === 0;
}

export function isFalsehood(formula: Formula): boolean {
  return formula.kind === 'any' && formula.of.length === 0;
}

export function not(formula: Formula): Formula {
  switch (formula.kind) {
    case 'not':
      return formula.of;
    case 'within':
      return within(formula.of, complement(formula.set));
    case 'all':
      return any(formula.of.map(not));
    case 'any':
      return all(formula.of.map(not));
    default:
      return { kind: 'not', of: formula };
  }
}

export function all(of: readonly Formula[]): Formula {
  if (of.some(isFalsehood)) return falsehood;
  const left = of.filter((part) => !isTruth(part));
  return left.length === 1 ? left[0]! : { kind: 'all', of: left };
}

export function any(of: readonly Formula[]): Formula {
  if (of.some(isTruth)) return truth;
  const left = of.filter((part) => !isFalsehood(part));
  return left.length === 1 ? left[0]! : { kind: 'any', of: left };
}

const decided = (yes: boolean) => (yes ? truth : falsehood);

export function within(of: Value, set: Intervals): Formula {
  if (of.kind === 'const') return decided(has(set, of.value));
  if (set.bounds.length === 0) return falsehood;
  return { kind: 'within', of, set };
}

/** A mask that leaves out low bits only is a range: `10.0.0.0/8`. */
export function masked(of: Value, value: bigint, mask: bigint): Formula {
  const top = topOf(of.width);
  const bits = mask & top;
  if (of.kind === 'const') return decided((of.value & bits) === value);
  if ((value & ~bits) !== 0n) return falsehood;
  const low = ~bits & top;
  if ((low & (low + 1n)) === 0n) return within(of, intervals(of.width, [[value, value | low]]));
  return { kind: 'masked', of, value, mask: bits };
}

export function compare(left: Value, op: CompareOp, right: Value): Formula {
  switch (op) {
    case '==':
      return equal(left, right);
    case '!=':
      return not(equal(left, right));
    case '<':
      return less(left, right);
    case '>':
      return less(right, left);
    case '<=':
      return not(less(right, left));
    case '>=':
      return not(less(left, right));
  }
}

function equal(left: Value, right: Value): Formula {
  if (right.kind === 'const') return within(left, single(left.width, right.value));
  if (left.kind === 'const') return equal(right, left);
  if (left.kind === 'sum' && right.kind === 'sum' && left.symbol === right.symbol) {
    return decided(left.offset === right.offset);
  }
  return { kind: 'equal', left, right };
}

function less(left: Value, right: Value): Formula {
  const top = topOf(left.width);
  if (right.kind === 'const') {
    return right.value === 0n ? falsehood : within(left, intervals(left.width, [[0n, right.value - 1n]]));
  }
  if (left.kind === 'const') {
    return left.value === top ? falsehood : within(right, intervals(right.width, [[left.value + 1n, top]]));
  }
  if (left.kind === 'sum' && right.kind === 'sum' && left.symbol === right.symbol) {
    // x + a < x + b unless the way from one to the other passes zero.
    const distance = (right.offset - left.offset) & top;
    return distance === 0n ? falsehood : within(left, intervals(left.width, [[0n, top - distance]]));
  }
  return { kind: 'less', left, right };
}

/** Whether it holds, when the symbols are known. */
export function holds(formula: Formula, symbols: (symbol: SymbolId) => bigint): boolean {
  switch (formula.kind) {
    case 'within':
      return has(formula.set, evaluate(formula.of, symbols));
    case 'masked':
      return (evaluate(formula.of, symbols) & formula.mask) === formula.value;
    case 'equal':
      return evaluate(formula.left, symbols) === evaluate(formula.right, symbols);
    case 'less':
      return evaluate(formula.left, symbols) < evaluate(formula.right, symbols);
    case 'not':
      return !holds(formula.of, symbols);
    case 'all':
      return formula.of.every((part) => holds(part, symbols));
    case 'any':
      return formula.of.some((part) => holds(part, symbols));
  }
}

/** The same formula over other values. */
export function mapValues(formula: Formula, map: (value: Value) => Value): Formula {
  switch (formula.kind) {
    case 'within':
      return within(map(formula.of), formula.set);
    case 'masked':
      return masked(map(formula.of), formula.value, formula.mask);
    case 'equal':
      return equal(map(formula.left), map(formula.right));
    case 'less':
      return less(map(formula.left), map(formula.right));
    case 'not':
      return not(mapValues(formula.of, map));
    case 'all':
      return all(formula.of.map((part) => mapValues(part, map)));
    case 'any':
      return any(formula.of.map((part) => mapValues(part, map)));
  }
}
