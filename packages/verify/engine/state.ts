import { CellMap } from './cell-map.ts';
import type { Condition, Expr, Field, Location, Ranges } from '../ir/expression.ts';
import type { SourceRef } from '../ir/source.ts';
import {
  all,
  any,
  compare,
  falsehood,
  type Formula,
  isFalsehood,
  isTruth,
  masked,
  not,
  truth,
  within,
} from '../solve/formula.ts';
import { type Intervals, intervals } from '../solve/intervals.ts';
import type { PathCondition } from '../solve/path-condition.ts';
import { constantValue, sameValue, type SymbolId, symbolValue, term, type Value } from '../solve/value.ts';
import type { PortId } from '../network.ts';

/** Where packets keep a value: bits of the packet by their address, metadata by name and owner. */
export type Place = number | string;

interface Cell {
  readonly width: number;
  /** The last one counts. Undefined: allocated, without a value. */
  readonly stack: readonly (Value | undefined)[];
}

interface Memory {
  readonly cells: CellMap<Place, Cell>;
  /** Bit addresses. */
  readonly tags: ReadonlyMap<string, number>;
}

/** Neighbouring bits of a packet that were allocated together. Undefined value: they were never written. */
export interface Piece {
  /** Of the first bit, counted from where the exploration put the packet. */
  readonly address: number;
  readonly width: number;
  readonly value: Value | undefined;
}

/**
 * Where packets of a path went apart without a condition: into copies, all of which go on, or into choices, of which one
 * is taken. The newest first; paths that came from one event share the object.
 */
export interface Split {
  readonly kind: 'copy' | 'choice';
  readonly event: object;
  readonly branch: number;
  /** Ports on the path until then. */
  readonly hops: number;
  readonly before: Split | undefined;
}

/** One entry for each port, the newest first. */
export interface Trail {
  readonly port: PortId;
  readonly because: readonly SourceRef[];
  readonly before: Trail | undefined;
  readonly length: number;
  /** Stays the same object while the packets are at the port. */
  readonly arrival: object;
  /** Which of the observed conditions held on arrival, a bit for each. */
  readonly facts: number;
}

const trailTo = (port: PortId, before: Trail | undefined): Trail => ({
  port,
  because: [],
  before,
  length: (before?.length ?? 0) + 1,
  arrival: {},
  facts: 0,
});

/** An error of the network that the path runs into. */
export class PathFailure extends Error {}

/** For which packets a condition holds; and for which it cannot even be read. */
export interface Decision {
  readonly when: Formula;
  readonly fails?: { readonly when: Formula; readonly error: PathFailure };
}

/** Gives out the symbols of one exploration. */
export interface SymbolSource {
  fresh(name: string, width: number): SymbolId;
}

/** All packets of one path at one moment. Immutable, and cheap to change: what stays is shared. */
export class State {
  readonly condition: PathCondition;
  readonly trail: Trail;
  readonly doubts: readonly string[];
  readonly splits: Split | undefined;
  /** All symbols of the path, in the order in which they were made. */
  readonly born: readonly SymbolId[];
  readonly #memory: Memory;
  readonly #saved: ReadonlyMap<string, Memory>;

  private constructor(parts: Parts) {
    this.condition = parts.condition;
    this.trail = parts.trail;
    this.doubts = parts.doubts;
    this.splits = parts.splits;
    this.born = parts.born;
    this.#memory = parts.memory;
    this.#saved = parts.saved;
  }

  static empty(condition: PathCondition, port: PortId): State {
    return new State({
      condition,
      trail: trailTo(port, undefined),
      doubts: [],
      splits: undefined,
      born: [],
      memory: { cells: CellMap.empty(), tags: new Map() },
      saved: new Map(),
    });
  }

  get port(): PortId {
    return this.trail.port;
  }

  arriveAt(port: PortId): State {
    return this.#with({ trail: trailTo(port, this.trail) });
  }

  because(source: SourceRef | undefined): State {
    if (source === undefined || this.trail.because.includes(source)) return this;
    return this.#with({ trail: { ...this.trail, because: [...this.trail.because, source] } });
  }

  knowing(facts: number): State {
    return facts === this.trail.facts ? this : this.#with({ trail: { ...this.trail, facts } });
  }

  doubting(what: string): State {
    return this.doubts.includes(what) ? this : this.#with({ doubts: [...this.doubts, what] });
  }

  /** The same packets at a port at which a new exploration begins. */
  beginAt(port: PortId): State {
    return this.#with({ trail: trailTo(port, undefined), splits: undefined });
  }

  /** One for each branch. */
  copied(branches: number): readonly State[] {
    return this.#split('copy', branches);
  }

  chosen(branches: number): readonly State[] {
    return this.#split('choice', branches);
  }

  #split(kind: Split['kind'], branches: number): readonly State[] {
    const [event, hops] = [{}, this.trail.length];
    return Array.from({ length: branches }, (_, branch) =>
      this.#with({ splits: { kind, event, branch, hops, before: this.splits } }),
    );
  }

  with(symbols: readonly SymbolId[]): State {
    return symbols.length === 0 ? this : this.#with({ born: [...this.born, ...symbols] });
  }

  under(condition: PathCondition): State {
    return condition === this.condition ? this : this.#with({ condition });
  }

  /** Places that hold something, with the names that people know. */
  *named(): Iterable<readonly [name: string, value: Value]> {
    for (const [place, { stack }] of this.#memory.cells) {
      const value = stack.at(-1);
      if (value !== undefined) yield [String(place), this.condition.resolve(value)];
    }
  }

  /** What the packet is made of, from its first bit on. */
  packet(): readonly Piece[] {
    return [...this.#memory.cells]
      .flatMap(([place, { width, stack }]) =>
        typeof place === 'number' ? [{ address: place, width, value: stack.at(-1) }] : [],
      )
      .sort((a, b) => a.address - b.address);
  }

  valueAt(place: Place): Value | undefined {
    const value = this.#memory.cells.get(place)?.stack.at(-1);
    return value === undefined ? undefined : this.condition.resolve(value);
  }

  /** What is on top of every place. */
  places(): ReadonlyMap<Place, Value | undefined> {
    return new Map([...this.#memory.cells].map(([place, { stack }]) => [place, stack.at(-1)]));
  }

  /**
   * Whether the packets are what they were in an earlier state of theirs, but for the places that are left out: values
   * with all that is stacked below them, tags, and what was saved.
   */
  isAs(earlier: State, leftOut: ReadonlySet<Place>): boolean {
    const same = (a: Memory, b: Memory) => a === b || this.#sameMemory(a, b, leftOut);
    if (!same(this.#memory, earlier.#memory) || this.#saved.size !== earlier.#saved.size) return false;
    return [...this.#saved].every(([name, memory]) => {
      const other = earlier.#saved.get(name);
      return other !== undefined && same(memory, other);
    });
  }

  #sameMemory(a: Memory, b: Memory, leftOut: ReadonlySet<Place>): boolean {
    if (a.cells.size !== b.cells.size || a.tags.size !== b.tags.size) return false;
    for (const [tag, address] of a.tags) if (b.tags.get(tag) !== address) return false;
    for (const [place, cell] of a.cells) {
      if (leftOut.has(place)) continue;
      const other = b.cells.get(place);
      if (other === undefined || other.width !== cell.width || other.stack.length !== cell.stack.length) return false;
      if (!cell.stack.every((value, i) => this.#sameAlways(value, other.stack[i]))) return false;
    }
    return true;
  }

  #sameAlways(a: Value | undefined, b: Value | undefined): boolean {
    if (a === undefined || b === undefined) return a === b;
    return sameValue(this.condition.resolve(a), this.condition.resolve(b));
  }

  place(at: Location): Place {
    if (at.kind === 'meta') return at.box === undefined ? at.name : `${at.box}/${at.name}`;
    return this.#address(at);
  }

  /** The bit address of a tag. */
  tag(name: string): number | undefined {
    return this.#memory.tags.get(name);
  }

  has(at: Location): boolean {
    if (at.kind === 'field' && !this.#memory.tags.has(at.tag)) return false;
    const cell = this.#memory.cells.get(this.place(at));
    return cell?.stack.at(-1) !== undefined && (at.kind === 'meta' || cell.width === at.width);
  }

  read(at: Location): Value {
    const cell = this.#memory.cells.get(this.place(at));
    if (cell === undefined || (at.kind === 'field' && cell.width !== at.width)) {
      throw new PathFailure(`${nameOf(at)} is read, and is not there`);
    }
    const value = cell.stack.at(-1);
    if (value === undefined) throw new PathFailure(`${nameOf(at)} is read before it has a value`);
    return this.condition.resolve(value);
  }

  allocate(at: Location, width: number): State {
    const place = this.place(at);
    const known = this.#memory.cells.get(place);
    if (typeof place === 'number') {
      if (known !== undefined && known.width !== width) {
        throw new PathFailure(`${nameOf(at)} is allocated with ${width} bits over ${known.width}`);
      }
      if (known === undefined) this.#mustNotOverlap(at, place, width);
    }
    return this.#set(place, { width, stack: [...(known?.stack ?? []), undefined] });
  }

  #mustNotOverlap(at: Location, address: number, width: number): void {
    const found = this.#memory.cells.find(
      (other, cell) => typeof other === 'number' && other < address + width && address < other + cell.width,
    );
    if (found !== undefined) throw new PathFailure(`${nameOf(at)} overlaps what is allocated at bit ${found[0]}`);
  }

  deallocate(at: Location, width: number | undefined): State {
    const place = this.place(at);
    const cell = this.#memory.cells.get(place);
    if (cell === undefined) throw new PathFailure(`${nameOf(at)} is deallocated, and is not there`);
    if (width !== undefined && width !== cell.width) {
      throw new PathFailure(`${nameOf(at)} is deallocated with ${width} bits, and has ${cell.width}`);
    }
    if (cell.stack.length > 1) return this.#set(place, { ...cell, stack: cell.stack.slice(0, -1) });
    return this.#with({ memory: { ...this.#memory, cells: this.#memory.cells.without(place) } });
  }

  assign(to: Location, value: Value): State {
    const place = this.place(to);
    const cell = this.#memory.cells.get(place);
    if (cell === undefined) {
      if (to.kind === 'field') throw new PathFailure(`${nameOf(to)} is written, and is not there`);
      return this.#set(place, { width: value.width, stack: [value] });
    }
    if (cell.width !== value.width) {
      if (to.kind === 'meta' && cell.stack.length === 1)
        return this.#set(place, { width: value.width, stack: [value] });
      throw new PathFailure(`${nameOf(to)} has ${cell.width} bits, and is written with ${value.width}`);
    }
    return this.#set(place, { ...cell, stack: [...cell.stack.slice(0, -1), value] });
  }

  createTag(tag: string, relativeTo: string | undefined, offset: number): State {
    const base = relativeTo === undefined ? 0 : this.#tag(relativeTo);
    return this.#with({ memory: { ...this.#memory, tags: new Map(this.#memory.tags).set(tag, base + offset) } });
  }

  destroyTag(tag: string): State {
    const tags = new Map(this.#memory.tags);
    if (!tags.delete(tag)) throw new PathFailure(`tag ${tag} is destroyed, and is not there`);
    return this.#with({ memory: { ...this.#memory, tags } });
  }

  destroyPacket(): State {
    const cells = this.#memory.cells.filter((place) => typeof place === 'string');
    return this.#with({ memory: { cells, tags: new Map() } });
  }

  save(name: string): State {
    return this.#with({ saved: new Map(this.#saved).set(name, this.#memory) });
  }

  load(name: string): State {
    const memory = this.#saved.get(name);
    if (memory === undefined) throw new PathFailure(`nothing was saved as ${name}`);
    return this.#with({ memory });
  }

  /** Names of metadata that match a pattern, in order; `*` is any text. */
  metadata(pattern: string): readonly { readonly name: string; readonly matched: string }[] {
    const [before, after] = split(pattern);
    return [...this.#memory.cells]
      .map(([place]) => place)
      .filter((place): place is string => typeof place === 'string')
      .filter((name) =>
        after === undefined
          ? name === before
          : name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after),
      )
      .sort()
      .map((name) => ({ name, matched: name.slice(before.length, name.length - (after?.length ?? 0)) }));
  }

  evaluate(expr: Expr, symbols: SymbolSource): { readonly value: Value; readonly known?: Formula } {
    switch (expr.kind) {
      case 'const':
        return { value: constantOf(expr) };
      case 'read':
        return { value: this.read(expr.from) };
      case 'fresh': {
        const value = symbolValue(symbols.fresh(expr.name, expr.width), expr.width);
        return expr.ranges === undefined ? { value } : { value, known: within(value, setOf(expr.width, expr.ranges)) };
      }
      default: {
        const parts = operandsOf(expr).map((part) => this.evaluate(part, symbols));
        const known = all(parts.flatMap((part) => part.known ?? []));
        const values = parts.map((part) => part.value);
        const value = termOf(expr, values);
        return isTruth(known) ? { value } : { value, known };
      }
    }
  }

  /** The condition on symbols that the condition is here. Reads from left to right and stops early, like the condition. */
  decide(condition: Condition): Decision {
    if (condition.kind === 'all' || condition.kind === 'any') return this.#sequence(condition.kind, condition.of);
    if (condition.kind === 'negation') {
      const { when, ...rest } = this.decide(condition.of);
      return { when: not(when), ...rest };
    }
    try {
      return { when: this.#formula(condition) };
    } catch (error) {
      if (!(error instanceof PathFailure)) throw error;
      return { when: falsehood, fails: { when: truth, error } };
    }
  }

  #formula(condition: Exclude<Condition, { kind: 'all' | 'any' | 'negation' }>): Formula {
    switch (condition.kind) {
      case 'always':
        return truth;
      case 'never':
        return falsehood;
      case 'compare':
        return compare(this.#valueOf(condition.left), condition.op, this.#valueOf(condition.right));
      case 'within': {
        const of = this.#valueOf(condition.of);
        return within(of, setOf(of.width, condition.ranges));
      }
      case 'masked':
        return masked(this.#valueOf(condition.of), condition.value, condition.mask);
      case 'exists':
        return this.has(condition.at) ? truth : falsehood;
      case 'at':
        return condition.ports.includes(this.port) ? truth : falsehood;
    }
  }

  /** A later part is read only by packets for which the earlier ones leave the question open. */
  #sequence(kind: 'all' | 'any', parts: readonly Condition[]): Decision {
    const done: Formula[] = [];
    const failing: Formula[] = [];
    let error: PathFailure | undefined;
    for (const part of parts) {
      const { when, fails } = this.decide(part);
      if (fails !== undefined) {
        const open = kind === 'all' ? all(done) : not(any(done));
        failing.push(all([open, fails.when]));
        error ??= fails.error;
      }
      done.push(when);
      if (kind === 'all' ? isFalsehood(when) : isTruth(when)) break;
    }
    const when = kind === 'all' ? all(done) : any(done);
    return error === undefined ? { when } : { when, fails: { when: any(failing), error } };
  }

  #valueOf(expr: Expr): Value {
    return this.evaluate(expr, noSymbols).value;
  }

  #address(at: Field): number {
    return this.#tag(at.tag) + at.offset;
  }

  #tag(tag: string): number {
    const address = this.#memory.tags.get(tag);
    if (address === undefined) throw new PathFailure(`there is no tag ${tag}`);
    return address;
  }

  #set(place: Place, cell: Cell): State {
    return this.#with({ memory: { ...this.#memory, cells: this.#memory.cells.with(place, cell) } });
  }

  #with(change: Partial<Parts>): State {
    return new State({
      condition: this.condition,
      trail: this.trail,
      doubts: this.doubts,
      splits: this.splits,
      born: this.born,
      memory: this.#memory,
      saved: this.#saved,
      ...change,
    });
  }
}

interface Parts {
  readonly condition: PathCondition;
  readonly trail: Trail;
  readonly doubts: readonly string[];
  readonly splits: Split | undefined;
  readonly born: readonly SymbolId[];
  readonly memory: Memory;
  readonly saved: ReadonlyMap<string, Memory>;
}

/** What instructions say once is made once: programs run again and again. */
const constants = new WeakMap<Expr, Value>();
const sets = new WeakMap<Ranges, Intervals>();

function constantOf(expr: Extract<Expr, { kind: 'const' }>): Value {
  const known = constants.get(expr) ?? constantValue(expr.value, expr.width);
  constants.set(expr, known);
  return known;
}

function setOf(width: number, ranges: Ranges): Intervals {
  const known = sets.get(ranges);
  if (known?.width === width) return known;
  const made = intervals(width, ranges);
  sets.set(ranges, made);
  return made;
}

const noSymbols: SymbolSource = {
  fresh: () => {
    throw new PathFailure('a condition cannot make a new symbol');
  },
};

export function nameOf(at: Location): string {
  if (at.kind === 'meta') return at.name;
  return at.name ?? `${at.tag}${at.offset < 0 ? '' : '+'}${at.offset}`;
}

export function operandsOf(expr: Exclude<Expr, { kind: 'const' | 'read' | 'fresh' }>): readonly Expr[] {
  if (expr.kind === 'binary') return [expr.left, expr.right];
  return expr.kind === 'concat' ? expr.parts : [expr.of];
}

function termOf(expr: Exclude<Expr, { kind: 'const' | 'read' | 'fresh' }>, of: readonly Value[]): Value {
  const width = of[0]!.width;
  switch (expr.kind) {
    case 'binary':
      if (of[1]!.width !== width) throw new PathFailure(`${expr.op} of ${width} and ${of[1]!.width} bits`);
      return term({ kind: expr.op }, of, width);
    case 'not':
      return term({ kind: 'not' }, of, width);
    case 'shift':
      return term({ kind: expr.op, by: expr.by }, of, width);
    case 'slice':
      if (expr.high >= width || expr.low > expr.high)
        throw new PathFailure(`bits ${expr.high}-${expr.low} of ${width}`);
      return term({ kind: 'slice', low: expr.low }, of, expr.high - expr.low + 1);
    case 'extend':
      if (expr.width < width) throw new PathFailure(`${width} bits are extended to ${expr.width}`);
      return term({ kind: 'extend' }, of, expr.width);
    case 'concat':
      return term(
        { kind: 'concat' },
        of,
        of.reduce((sum, value) => sum + value.width, 0),
      );
  }
}

function split(pattern: string): readonly [string, string | undefined] {
  const star = pattern.indexOf('*');
  return star < 0 ? [pattern, undefined] : [pattern.slice(0, star), pattern.slice(star + 1)];
}
