import { balanced } from './balanced.ts';
import type { Formula } from './formula.ts';
import { type Intervals, intersect, shift, union } from './intervals.ts';
import { type SymbolId, symbolWidths } from './value.ts';

/** The same conjunction, with one set for each symbol of which many parts give a set. */
export function gathered(parts: readonly Formula[]): readonly Formula[] {
  const sets = new Map<SymbolId, Intervals[]>();
  const others: Formula[] = [];
  for (const part of parts) {
    const domain = asDomain(part);
    if (domain === undefined) {
      others.push(part);
      continue;
    }
    const known = sets.get(domain.symbol);
    if (known === undefined) sets.set(domain.symbol, [domain.set]);
    else known.push(domain.set);
  }
  const domains = [...sets].map(([symbol, of]): Formula => {
    const set = balanced(of, intersect)!;
    return { kind: 'within', of: { kind: 'sum', symbol, offset: 0n, width: set.width }, set };
  });
  return [...domains, ...others];
}

/** The set of one symbol's values that the formula describes, if it speaks of one symbol and of no single bits. */
export function asDomain(formula: Formula): { readonly symbol: SymbolId; readonly set: Intervals } | undefined {
  if (formula.kind === 'within') {
    if (formula.of.kind !== 'sum') return undefined;
    return { symbol: formula.of.symbol, set: shift(formula.set, -formula.of.offset) };
  }
  if (formula.kind !== 'any' && formula.kind !== 'all') return undefined;
  const sets: Intervals[] = [];
  let symbol: SymbolId | undefined;
  for (const part of formula.of) {
    const next = asDomain(part);
    if (next === undefined || (symbol !== undefined && symbol !== next.symbol)) return undefined;
    symbol = next.symbol;
    sets.push(next.set);
  }
  if (symbol === undefined) return undefined;
  return { symbol, set: balanced(sets, formula.kind === 'any' ? union : intersect)! };
}

type WideDifference = { readonly kind: 'not'; readonly of: Extract<Formula, { readonly kind: 'equal' | 'less' }> };

/** Of two whole symbols, by itself or among alternatives: as a diagram that takes a node for each value. */
export function wideDifferences(formula: Formula): readonly WideDifference[] {
  if (formula.kind === 'any') return formula.of.flatMap(wideDifferences);
  return isWideDifference(formula) ? [formula] : [];
}

export function isWideDifference(formula: Formula): formula is WideDifference {
  return formula.kind === 'not' && formula.of.kind === 'equal' && formula.of.left.width > 12;
}

export function symbolsIn(formula: Formula, found = new Map<SymbolId, number>()): Map<SymbolId, number> {
  switch (formula.kind) {
    case 'within':
    case 'masked':
      symbolWidths(formula.of, found);
      break;
    case 'equal':
    case 'less':
      symbolWidths(formula.left, found);
      symbolWidths(formula.right, found);
      break;
    case 'not':
      symbolsIn(formula.of, found);
      break;
    case 'all':
    case 'any':
      for (const part of formula.of) symbolsIn(part, found);
  }
  return found;
}

/** Those for which it is so, and the others. */
export function parted<T>(list: readonly T[], is: (item: T) => boolean): readonly [T[], T[]] {
  return [list.filter(is), list.filter((item) => !is(item))];
}
