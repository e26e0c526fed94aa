import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Bits } from './bits.ts';
import {
  all,
  any,
  compare,
  falsehood,
  type Formula,
  holds,
  isFalsehood,
  isTruth,
  mapValues,
  not,
  truth,
  within,
} from './formula.ts';
import { asDomain, gathered, isWideDifference, parted, symbolsIn, wideDifferences } from './formula-parts.ts';
import {
  count,
  disjoint,
  everything,
  has,
  intersect,
  intervals,
  type Intervals,
  isEmpty,
  isEverything,
  onlyMember,
  ranges,
  same,
  shift,
  smallest,
} from './intervals.ts';
import {
  constantValue,
  evaluate,
  replaced,
  sameValue,
  type SymbolId,
  symbolsOf,
  symbolValue,
  type Value,
} from './value.ts';

/** Nodes that one condition may cost before it is left to the solver of formulas. */
const FORMULA_NODES = 100_000;

/** Values that are taken from a symbol, one after the other, until symbols that ought to differ do. */
const MODEL_TRIES = 200;

export type Solve = (
  formula: Formula,
  widths: ReadonlyMap<SymbolId, number>,
) => ReadonlyMap<SymbolId, bigint> | 'unsatisfiable' | 'unknown';

/**
 * What is known of the symbols of one path: one conjunction, never a constraint on a value that somebody may overwrite.
 * In three tiers. A symbol alone has a set of intervals. Symbols whose bits or combinations matter are in one decision
 * diagram, and their intervals with them. What neither can say is kept as a formula for the solver. Two symbols that
 * are equal up to a constant become one. Immutable.
 */
export class PathCondition {
  readonly #bits: Bits;
  readonly #domains: ReadonlyMap<SymbolId, Intervals>;
  readonly #diagram: Node;
  /** Symbols of the diagram, with their widths: they have no domain of their own. */
  readonly #joined: ReadonlyMap<SymbolId, number>;
  readonly #aliases: ReadonlyMap<SymbolId, Value>;
  readonly #formulas: readonly Formula[];

  private constructor(parts: Parts) {
    this.#bits = parts.bits;
    this.#domains = parts.domains;
    this.#diagram = parts.diagram;
    this.#joined = parts.joined;
    this.#aliases = parts.aliases;
    this.#formulas = parts.formulas;
  }

  static free(bits: Bits): PathCondition {
    return new PathCondition({
      bits,
      domains: new Map(),
      diagram: TRUE,
      joined: new Map(),
      aliases: new Map(),
      formulas: [],
    });
  }

  /** Formulas that were left to the solver. */
  get undecided(): readonly Formula[] {
    return this.#formulas;
  }

  /** The value with symbols in it that stand for themselves. */
  resolve(value: Value): Value {
    return this.#aliases.size === 0 ? value : replaced(value, (symbol) => this.#aliases.get(symbol));
  }

  /** The constant that a symbol is here by its own set, or the value as it is. */
  settled(value: Value): Value {
    if (value.kind !== 'sum' || this.#joined.has(value.symbol)) return value;
    const domain = this.#domains.get(value.symbol);
    const only = domain === undefined ? undefined : onlyMember(domain);
    return only === undefined ? value : constantValue(only + value.offset, value.width);
  }

  /** Undefined when no packet is left. */
  and(formula: Formula): PathCondition | undefined {
    const told = this.#aliases.size === 0 ? formula : mapValues(formula, (value) => this.resolve(value));
    return this.#add(told);
  }

  /** Both sides of a condition; a side on which nobody is, is undefined. */
  split(formula: Formula): { readonly yes: PathCondition | undefined; readonly no: PathCondition | undefined } {
    if (formula.kind === 'within' && formula.of.kind === 'sum' && this.#joined.has(formula.of.symbol)) {
      // Both sides of one diagram: that of the complement need not be made.
      const { diagrams } = this.#bits;
      const made = diagrams.attempt(FORMULA_NODES, () => this.#bits.formula(formula));
      if (made !== undefined) {
        return {
          yes: this.#drawn(diagrams.and(this.#diagram, made)),
          no: this.#drawn(diagrams.minus(this.#diagram, made)),
        };
      }
    }
    return { yes: this.and(formula), no: this.and(not(formula)) };
  }

  #drawn(diagram: Node): PathCondition | undefined {
    if (diagram === this.#diagram) return this;
    return diagram === FALSE ? undefined : this.#with({ diagram });
  }

  /** Of a set that is a diagram already, over the symbols named. */
  andNode(node: Node, symbols: ReadonlyMap<SymbolId, number>): PathCondition | undefined {
    const entered = this.#enterAll(symbols);
    if (entered === undefined) return undefined;
    const diagram = this.#bits.diagrams.and(entered.#diagram, node);
    return diagram === FALSE ? undefined : entered.#with({ diagram });
  }

  /** Whether one set or the diagrams show that nothing does both: cheaper than `meet`, and says nothing when it is false. */
  excludes(other: PathCondition): boolean {
    for (const [symbol, set] of this.#domains) {
      const its = other.#domains.get(symbol);
      if (its !== undefined && its !== set && disjoint(set, its)) return true;
    }
    return (
      this.#aliases.size === 0 &&
      other.#aliases.size === 0 &&
      this.#bits.diagrams.disjoint(this.#diagram, other.#diagram)
    );
  }

  /** Whether all of this is in the other; false says nothing. */
  isWithin(other: PathCondition): boolean {
    return other.#partsBeyond(this).every((part) => {
      if (!('node' in part)) return this.and(not(part)) === undefined;
      if ([...part.symbols.keys()].some((symbol) => this.#aliases.has(symbol))) return false;
      const entered = this.#enterAll(part.symbols);
      return entered === undefined || this.#bits.diagrams.minus(entered.#diagram, part.node) === FALSE;
    });
  }

  /** What both say; undefined when nothing does both. */
  meet(other: PathCondition): PathCondition | undefined {
    if (other === this) return this;
    return other
      .#partsBeyond(this)
      .reduce<PathCondition | undefined>((next, part) => (next === undefined ? undefined : next.#take(part)), this);
  }

  /** What this says and the other does not; undefined when that is nothing. */
  minus(other: PathCondition): PathCondition | undefined {
    const parts = other.#partsBeyond(this);
    const [only] = parts;
    if (only === undefined) return undefined;
    if (parts.length === 1 && !('node' in only)) return this.and(not(only));
    const { diagrams } = this.#bits;
    let outside: Node = FALSE;
    const symbols = new Map<SymbolId, number>();
    for (const part of parts) {
      if (!('node' in part)) symbolsIn(part, symbols);
      else for (const [symbol, width] of part.symbols) symbols.set(symbol, width);
      const made = 'node' in part ? part.node : diagrams.attempt(FORMULA_NODES, () => this.#bits.formula(part));
      if (made === undefined) return this.and(not(other.asFormula()));
      outside = diagrams.or(outside, diagrams.not(made));
    }
    const aliased = [...symbols.keys()].some((symbol) => this.#aliases.has(symbol));
    return aliased ? this.and(not(other.asFormula())) : this.andNode(outside, symbols);
  }

  #take(part: Formula | Drawn): PathCondition | undefined {
    if (!('node' in part)) return this.and(part);
    return this.#takeDrawn(part);
  }

  /** Symbols that others stand for here are replaced in the diagram bit by bit. */
  #takeDrawn({ node, symbols }: Drawn): PathCondition | undefined {
    const bits = new Map<number, Node>();
    const left = new Map<SymbolId, number>();
    for (const [symbol, width] of symbols) {
      const alias = this.#aliases.get(symbol);
      if (alias === undefined) {
        left.set(symbol, width);
        continue;
      }
      const by = this.#bits.value(alias);
      this.#bits.variables(symbol, width).forEach((variable, i) => bits.set(variable, by[i]!));
      for (const other of symbolsOf(alias)) left.set(other, width);
    }
    const moved = bits.size === 0 ? node : this.#bits.diagrams.substitute(node, bits);
    return moved === FALSE ? undefined : this.andNode(moved, left);
  }

  /** The conjunction in parts, without those that `known` says in the same form already. */
  #partsBeyond(known: PathCondition): readonly (Formula | Drawn)[] {
    const parts: (Formula | Drawn)[] = this.#formulas.filter((formula) => !known.#formulas.includes(formula));
    for (const [symbol, set] of this.#domains) {
      const mine = known.#domains.get(symbol);
      if (mine !== undefined && (mine === set || same(intersect(mine, set), mine))) continue;
      parts.push({ kind: 'within', of: symbolValue(symbol, set.width), set });
    }
    for (const [symbol, value] of this.#aliases) {
      const mine = known.#aliases.get(symbol);
      if (mine !== undefined && sameValue(mine, value)) continue;
      parts.push(compare(symbolValue(symbol, value.width), '==', value));
    }
    if (this.#diagram !== TRUE && this.#diagram !== known.#diagram) {
      parts.push({ node: this.#diagram, symbols: this.#joined });
    }
    return parts;
  }

  /** What is left to say when nobody asks for some symbols; undefined when they cannot be told apart from the others. */
  forget(symbols: ReadonlySet<SymbolId>): PathCondition | undefined {
    if (symbols.size === 0) return this;
    const turned = this.#turned(symbols);
    if (turned !== undefined) return turned.forget(symbols);
    const speaks = (value: Value) => [...symbolsOf(value)].some((symbol) => symbols.has(symbol));
    const [about, formulas] = parted(this.#formulas, (formula) =>
      [...symbolsIn(formula).keys()].some((s) => symbols.has(s)),
    );
    if (!this.#canAvoid(about, symbols)) return undefined;
    const aliases = new Map([...this.#aliases].filter(([symbol]) => !symbols.has(symbol)));
    if ([...aliases.values()].some(speaks)) return undefined;
    const keep = <T>(map: ReadonlyMap<SymbolId, T>) => new Map([...map].filter(([symbol]) => !symbols.has(symbol)));
    const forgotten = new Uint8Array(this.#bits.variableCount);
    for (const [symbol, width] of this.#joined) {
      if (!symbols.has(symbol)) continue;
      for (const variable of this.#bits.variables(symbol, width)) forgotten[variable] = 1;
    }
    const diagram = this.#bits.diagrams.exists(this.#diagram, forgotten);
    return this.#with({ aliases, domains: keep(this.#domains), joined: keep(this.#joined), diagram, formulas });
  }

  /**
   * Whether symbols always have values left when they must differ from others: each has more values to choose from than there
   * are values that it must not have, and nothing else is asked of it.
   */
  #canAvoid(formulas: readonly Formula[], symbols: ReadonlySet<SymbolId>): boolean {
    const avoided = new Map<SymbolId, { readonly width: number; times: number }>();
    for (const formula of formulas) {
      if (!isWideDifference(formula)) return false;
      const speaks = (value: Value) => [...symbolsOf(value)].some((symbol) => symbols.has(symbol));
      const [side, other] = [formula.of.left, formula.of.right].filter(speaks);
      if (side?.kind !== 'sum' || other !== undefined) return false;
      if (this.#joined.has(side.symbol) || this.#aliases.has(side.symbol)) return false;
      const known = avoided.get(side.symbol) ?? { width: side.width, times: 0 };
      known.times += 1;
      avoided.set(side.symbol, known);
    }
    return [...avoided].every(
      ([symbol, { width, times }]) => count(this.#domains.get(symbol) ?? everything(width)) > BigInt(times),
    );
  }

  /** Of a symbol that is kept and stands for one that is forgotten, the other way round: `x = new + 3` says `new = x - 3`. */
  #turned(symbols: ReadonlySet<SymbolId>): PathCondition | undefined {
    for (const [symbol, value] of this.#aliases) {
      if (symbols.has(symbol) || value.kind !== 'sum' || !symbols.has(value.symbol)) continue;
      const aliases = new Map(this.#aliases);
      aliases.delete(symbol);
      const offset = -value.offset & ((1n << BigInt(value.width)) - 1n);
      return this.#with({ aliases }).#replace(value.symbol, { kind: 'sum', symbol, offset, width: value.width });
    }
    return undefined;
  }

  /** Whether a symbol can take each of its values whatever the others are. */
  isIndependent(symbol: SymbolId): boolean {
    if (this.#joined.has(symbol) || this.#aliases.has(symbol)) return false;
    if ([...this.#aliases.values()].some((value) => symbolsOf(value).has(symbol))) return false;
    return !this.#formulas.some((formula) => symbolsIn(formula).has(symbol));
  }

  #add(formula: Formula): PathCondition | undefined {
    if (isTruth(formula)) return this;
    if (isFalsehood(formula)) return undefined;
    if (formula.kind === 'all') {
      return gathered(formula.of).reduce<PathCondition | undefined>((next, part) => next?.and(part), this);
    }
    const single = asDomain(formula);
    if (single !== undefined) return this.#restrict(single.symbol, single.set);
    if (formula.kind === 'equal') {
      const simpler = mapValues(formula, (value) => replaced(value, (symbol) => this.#only(symbol)));
      if (simpler.kind !== 'equal') return this.#add(simpler);
      const merged = this.#merge(formula.left, formula.right) ?? this.#merge(formula.right, formula.left);
      if (merged !== undefined) return merged.next;
    }
    return this.#join(formula);
  }

  #restrict(symbol: SymbolId, set: Intervals): PathCondition | undefined {
    if (this.#joined.has(symbol)) {
      const value: Value = { kind: 'sum', symbol, offset: 0n, width: set.width };
      return this.#join({ kind: 'within', of: value, set });
    }
    const known = this.#domains.get(symbol);
    const next = known === undefined ? set : intersect(known, set);
    if (isEmpty(next)) return undefined;
    if (known !== undefined && same(next, known)) return this;
    const only = onlyMember(next);
    if (only !== undefined && this.#formulas.length > 0)
      return this.#replace(symbol, constantValue(only, set.width), next);
    return this.#with({ domains: new Map(this.#domains).set(symbol, next) });
  }

  /** `left == right`, when `left` is a symbol plus a constant and `right` is another, or free of it. */
  #merge(left: Value, right: Value): { readonly next: PathCondition | undefined } | undefined {
    if (left.kind !== 'sum' || right.kind !== 'sum') return undefined;
    const target: Value = { ...right, offset: (right.offset - left.offset) & ((1n << BigInt(left.width)) - 1n) };
    return { next: this.#replace(left.symbol, target) };
  }

  /** From now on the value stands for the symbol; what was known of the symbol is known of the value. */
  #replace(symbol: SymbolId, by: Value, domain = this.#domains.get(symbol)): PathCondition | undefined {
    const aliases = new Map(
      [...this.#aliases].map(([from, to]) => [from, replaced(to, (s) => (s === symbol ? by : undefined))]),
    );
    aliases.set(symbol, by);
    const domains = new Map(this.#domains);
    domains.delete(symbol);
    let next: PathCondition | undefined = this.#with({ aliases, domains, formulas: [] });
    if (this.#joined.has(symbol)) {
      const variables = this.#bits.variables(symbol, by.width);
      const bits = this.#bits.value(by);
      const joined = new Map(this.#joined);
      joined.delete(symbol);
      const moved = this.#bits.diagrams.substitute(this.#diagram, new Map(variables.map((v, i) => [v, bits[i]!])));
      if (moved === FALSE) return undefined;
      const without: PathCondition = this.#with({ aliases, domains, formulas: [], joined, diagram: moved });
      next = without.#enterAll(new Map([...symbolsOf(by)].map((other) => [other, by.width])));
    }
    if (domain !== undefined) next = next?.and(within(by, domain));
    for (const formula of this.#formulas) next = next?.and(formula);
    return next;
  }

  /** The symbol's domain becomes part of the diagram. */
  #enter(symbol: SymbolId, width: number): PathCondition | undefined {
    if (this.#joined.has(symbol)) return this;
    const domain = this.#domains.get(symbol);
    const joined = new Map(this.#joined).set(symbol, width);
    if (domain === undefined || isEverything(domain)) return this.#with({ joined });
    const domains = new Map(this.#domains);
    domains.delete(symbol);
    const set = this.#bits.formula({ kind: 'within', of: { kind: 'sum', symbol, offset: 0n, width }, set: domain });
    const diagram = this.#bits.diagrams.and(this.#diagram, set);
    return diagram === FALSE ? undefined : this.#with({ joined, domains, diagram });
  }

  #enterAll(symbols: ReadonlyMap<SymbolId, number>): PathCondition | undefined {
    return [...symbols].reduce<PathCondition | undefined>(
      (condition, [symbol, width]) => (condition === undefined ? undefined : condition.#enter(symbol, width)),
      this,
    );
  }

  #join(formula: Formula): PathCondition | undefined {
    if (wideDifferences(formula).length > 0) {
      const simpler = mapValues(formula, (value) => replaced(value, (symbol) => this.#only(symbol)));
      if (wideDifferences(simpler).length === 0) return this.#add(simpler);
      return this.#with({ formulas: [...this.#formulas, simpler] });
    }
    const { diagrams } = this.#bits;
    const made = diagrams.attempt(FORMULA_NODES, () => this.#bits.formula(formula));
    if (made === undefined) return this.#with({ formulas: [...this.#formulas, formula] });
    if (made === FALSE) return undefined;
    if (made === TRUE) return this;
    const next = this.#enterAll(symbolsIn(formula));
    if (next === undefined) return undefined;
    const diagram = diagrams.and(next.#diagram, made);
    return diagram === FALSE ? undefined : next.#with({ diagram });
  }

  /** The only value that a symbol can have, by its own set or by the diagram. */
  #only(symbol: SymbolId): Value | undefined {
    const width = this.#joined.get(symbol);
    if (width !== undefined) return this.#onlyDrawn(this.#bits.variables(symbol, width), width);
    const domain = this.#domains.get(symbol);
    const only = domain === undefined ? undefined : onlyMember(domain);
    return domain === undefined || only === undefined ? undefined : constantValue(only, domain.width);
  }

  #onlyDrawn(variables: readonly number[], width: number): Value | undefined {
    const { diagrams } = this.#bits;
    const picked = diagrams.pick(this.#diagram)!;
    let value = 0n;
    for (const variable of variables) {
      const bit = picked.get(variable);
      // No test of the bit on the way to one packet: it is free there.
      if (bit === undefined) return undefined;
      value = (value << 1n) | (bit ? 1n : 0n);
    }
    const it = diagrams.masked(variables, value, (1n << BigInt(width)) - 1n);
    return diagrams.minus(this.#diagram, it) === FALSE ? constantValue(value, width) : undefined;
  }

  /** Whether some packet is left: `and` has decided it unless formulas were left over. */
  satisfiable(solve?: Solve): 'yes' | 'no' | 'unknown' {
    if (this.#formulas.length === 0 || this.model() !== undefined) return 'yes';
    const answer = this.#ask(solve);
    return answer === 'unknown' ? 'unknown' : answer === 'unsatisfiable' ? 'no' : 'yes';
  }

  #ask(solve: Solve | undefined): ReturnType<Solve> {
    if (solve === undefined) return 'unknown';
    const whole = this.asFormula();
    return solve(whole, symbolsIn(whole));
  }

  /** Values of symbols that satisfy everything; undefined when the ones that were tried do not, and nobody knows others. */
  model(solve?: Solve, tries = { left: MODEL_TRIES }): ((symbol: SymbolId) => bigint) | undefined {
    const picked = this.#bits.diagrams.pick(this.#diagram)!;
    const own = (symbol: SymbolId): bigint => {
      const width = this.#joined.get(symbol);
      if (width === undefined) {
        const domain = this.#domains.get(symbol);
        return domain === undefined ? 0n : smallest(domain);
      }
      return this.#bits
        .variables(symbol, width)
        .reduce((sum, v) => (sum << 1n) | (picked.get(v) === true ? 1n : 0n), 0n);
    };
    const value = this.#through(own);
    const broken = this.#formulas.find((formula) => !holds(formula, value));
    if (broken === undefined) return value;
    const moved = this.#moved(broken, value, tries);
    if (moved !== undefined) return moved;
    const answer = this.#ask(solve);
    return typeof answer === 'string' ? undefined : this.#through((symbol) => answer.get(symbol) ?? own(symbol));
  }

  /** Two symbols that ought to differ have the same value: then one of them takes another, and everything is tried again. */
  #moved(
    broken: Formula,
    value: (symbol: SymbolId) => bigint,
    tries: { left: number },
  ): ((symbol: SymbolId) => bigint) | undefined {
    for (const side of wideDifferences(broken).flatMap(({ of }) => [of.left, of.right])) {
      if (tries.left === 0) return undefined;
      tries.left -= 1;
      const taken = evaluate(side, value);
      const model = this.and(not(within(side, intervals(side.width, [[taken, taken]]))))?.model(undefined, tries);
      if (model !== undefined) return model;
    }
    return undefined;
  }

  #through(own: (symbol: SymbolId) => bigint): (symbol: SymbolId) => bigint {
    const seen = (symbol: SymbolId): bigint => {
      const alias = this.#aliases.get(symbol);
      if (alias === undefined) return own(symbol);
      if (alias.kind === 'const') return alias.value;
      if (alias.kind === 'sum') return (own(alias.symbol) + alias.offset) & ((1n << BigInt(alias.width)) - 1n);
      return 0n;
    };
    return seen;
  }

  /** Whether these values of the symbols satisfy everything. */
  admits(symbols: (symbol: SymbolId) => bigint): boolean {
    for (const [symbol, set] of this.#domains) if (!has(set, symbols(symbol))) return false;
    for (const [symbol, value] of this.#aliases) if (symbols(symbol) !== evaluate(value, symbols)) return false;
    const bits = new Map<number, boolean>();
    for (const [symbol, width] of this.#joined) {
      const value = symbols(symbol);
      this.#bits.variables(symbol, width).forEach((variable, i) => {
        bits.set(variable, ((value >> BigInt(width - 1 - i)) & 1n) === 1n);
      });
    }
    if (!this.#bits.diagrams.contains(this.#diagram, (variable) => bits.get(variable)!)) return false;
    return this.#formulas.every((formula) => holds(formula, symbols));
  }

  /** The values that `value` can have, as ranges. Exact unless formulas were left over; undefined beyond `limit` of them. */
  ranges(value: Value, limit: number): readonly (readonly [bigint, bigint])[] | undefined {
    const known = this.resolve(value);
    if (known.kind === 'const') return [[known.value, known.value]];
    const { diagrams } = this.#bits;
    if (known.kind === 'sum' && !this.#joined.has(known.symbol)) {
      const domain = this.#domains.get(known.symbol) ?? everything(known.width);
      return ranges(shift(domain, known.offset));
    }
    // A new number, equal to the value bit by bit, and then everything else forgotten.
    const scratch: SymbolId = -1 - known.width;
    const fresh = this.#bits.variables(scratch, known.width);
    let node = this.#diagram;
    for (const symbol of symbolsOf(known)) {
      const domain = this.#domains.get(symbol);
      if (domain !== undefined) {
        const of: Value = { kind: 'sum', symbol, offset: 0n, width: domain.width };
        node = diagrams.and(node, this.#bits.formula({ kind: 'within', of, set: domain }));
      }
    }
    // Before variables are counted: the value may bring the first ones of its symbols.
    const bits = this.#bits.value(known);
    const forgotten = new Uint8Array(this.#bits.variableCount).fill(1);
    for (const variable of fresh) forgotten[variable] = 0;
    if (known.kind === 'sum' && known.offset === 0n) {
      const own = this.#bits.variables(known.symbol, known.width);
      for (const variable of own) forgotten[variable] = 0;
      return diagrams.ranges(diagrams.exists(node, forgotten), own, limit);
    }
    for (let i = known.width - 1; i >= 0; i -= 1) {
      node = diagrams.minus(node, diagrams.xor(diagrams.variable(fresh[i]!), bits[i]!));
    }
    return diagrams.ranges(diagrams.exists(node, forgotten), fresh, limit);
  }

  /** Everything that is known, as one formula. */
  asFormula(): Formula {
    const parts: Formula[] = [...this.#formulas];
    for (const [symbol, set] of this.#domains) {
      parts.push(within({ kind: 'sum', symbol, offset: 0n, width: set.width }, set));
    }
    for (const [symbol, value] of this.#aliases) {
      parts.push({ kind: 'equal', left: { kind: 'sum', symbol, offset: 0n, width: value.width }, right: value });
    }
    if (this.#diagram !== TRUE) parts.push(this.#drawnFormula({ node: this.#diagram, symbols: this.#joined }));
    return all(parts);
  }

  /** A diagram as a formula: a test of one bit at each node. */
  #drawnFormula({ node, symbols }: Drawn): Formula {
    const owners = new Map<number, { readonly value: Value; readonly place: bigint }>();
    for (const [symbol, width] of symbols) {
      this.#bits.variables(symbol, width).forEach((variable, i) => {
        owners.set(variable, { value: { kind: 'sum', symbol, offset: 0n, width }, place: BigInt(width - 1 - i) });
      });
    }
    const memo = new Map<Node, Formula>([
      [FALSE, falsehood],
      [TRUE, truth],
    ]);
    return this.#bits.diagrams.fold(node, memo, (variable, low, high) => {
      const { value, place } = owners.get(variable)!;
      const one: Formula = { kind: 'masked', of: value, value: 1n << place, mask: 1n << place };
      return any([all([one, high]), all([not(one), low])]);
    });
  }

  #with(change: Partial<Parts>): PathCondition {
    return new PathCondition({
      bits: this.#bits,
      domains: this.#domains,
      diagram: this.#diagram,
      joined: this.#joined,
      aliases: this.#aliases,
      formulas: this.#formulas,
      ...change,
    });
  }
}

/** A set as a diagram over the bits of symbols, with their widths. */
interface Drawn {
  readonly node: Node;
  readonly symbols: ReadonlyMap<SymbolId, number>;
}

interface Parts {
  readonly bits: Bits;
  readonly domains: ReadonlyMap<SymbolId, Intervals>;
  readonly diagram: Node;
  readonly joined: ReadonlyMap<SymbolId, number>;
  readonly aliases: ReadonlyMap<SymbolId, Value>;
  readonly formulas: readonly Formula[];
}
