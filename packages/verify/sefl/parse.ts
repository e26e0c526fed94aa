import type { CompareOp, Condition, Expr, Location, Ranges } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';
import type { Instruction } from '../ir/instruction.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Entries, Match, Rule, Table, TableKey } from '../ir/table.ts';
import type { Box, Mtu, Network, PortId } from '../network.ts';
import type { InputFile } from '../read/reader.ts';
import { comparisons } from './print.ts';
import { readTrees, type Tree, wrongAt } from './tree.ts';

/** Reads what `printNetwork` prints. Throws SF-VERIFY-INPUT with line and column. */
export function parseNetwork(file: InputFile): Network {
  return new SeflReader(file.path).network(readTrees(file));
}

type Call = Extract<Tree, { readonly kind: 'call' }>;

class SeflReader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  network(trees: readonly Tree[]): Network {
    let name = this.#file;
    const boxes = new Map<string, Box>();
    const links = new Map<PortId, readonly PortId[]>();
    let edges: Set<PortId> | undefined;
    const mtus = new Map<PortId, Mtu>();
    const unknown = new Map<string, string>();
    const routines = new Map<string, Instruction>();
    const programs = new Map<PortId, Instruction>();
    for (const tree of trees) {
      const { name: what, of } = this.#call(tree);
      const [first, ...rest] = of;
      switch (what) {
        case 'network':
          name = this.#text(first, tree);
          break;
        case 'box': {
          const source = this.#source(rest[1]);
          const box = { name: this.#text(first, tree), kind: this.#text(rest[0], tree) };
          boxes.set(box.name, source === undefined ? box : { ...box, source });
          break;
        }
        case 'link':
          links.set(
            this.#text(first, tree),
            rest.map((port) => this.#text(port, tree)),
          );
          break;
        case 'edges':
          edges = new Set(of.map((port) => this.#text(port, tree)));
          break;
        case 'mtu': {
          const [bytes, source] = [this.#number(rest[0], tree), this.#source(rest[1])];
          mtus.set(this.#text(first, tree), source === undefined ? { bytes } : { bytes, source });
          break;
        }
        case 'unknown':
          unknown.set(this.#text(first, tree), this.#text(rest[0], tree));
          break;
        case 'routine':
          routines.set(this.#text(first, tree), this.instruction(rest[0], tree));
          break;
        case 'program':
          programs.set(this.#text(first, tree), this.instruction(rest[0], tree));
          break;
        default:
          throw this.#wrong(tree, 'network, box, link, edges, mtu, unknown, routine or program');
      }
    }
    return {
      name,
      boxes,
      programs,
      links,
      routines,
      ...(edges === undefined ? {} : { edges }),
      ...(mtus.size === 0 ? {} : { mtus }),
      ...(unknown.size === 0 ? {} : { unknown }),
    };
  }

  instruction(tree: Tree | undefined, inside: Tree): Instruction {
    const call = this.#call(tree ?? this.#missing(inside, 'an instruction'));
    const { name, of } = call;
    const text = (i: number) => this.#text(of[i], call);
    const many = () => of.map((part) => this.instruction(part, call));
    switch (name) {
      case 'from':
        return { ...this.instruction(of[1], call), source: this.#source(of[0])! };
      case 'block':
        return { op: 'block', body: many() };
      case 'fork':
      case 'choose':
        return { op: name, branches: many() };
      case 'allocate':
        return { op: name, at: this.#location(of[0], call), width: this.#number(of[1], call) };
      case 'deallocate': {
        const at = this.#location(of[0], call);
        return of.length < 2 ? { op: name, at } : { op: name, at, width: this.#number(of[1], call) };
      }
      case 'assign':
        return { op: name, to: this.#location(of[0], call), value: this.#expr(of[1], call) };
      case 'tag': {
        const [tag, relativeTo] = [text(0), of.length > 2 ? text(1) : undefined];
        const offset = this.#signed(of[of.length - 1], call);
        return relativeTo === undefined
          ? { op: 'createTag', tag, offset }
          : { op: 'createTag', tag, relativeTo, offset };
      }
      case 'untag':
        return { op: 'destroyTag', tag: text(0) };
      case 'constrain': {
        const condition = this.#condition(of[0], call);
        return of.length < 2 ? { op: name, condition } : { op: name, condition, why: text(1) };
      }
      case 'if':
        return {
          op: name,
          condition: this.#condition(of[0], call),
          yes: this.instruction(of[1], call),
          no: this.instruction(of[2], call),
        };
      case 'for':
        return { op: name, pattern: text(0), body: this.instruction(of[1], call) };
      case 'forward':
        return { op: name, to: text(0) };
      case 'fail':
      case 'drop':
        return { op: name, why: text(0) };
      case 'destroy':
        return { op: 'destroyPacket' };
      case 'save':
      case 'load':
        return { op: name, name: text(0) };
      case 'call':
        return { op: name, routine: text(0) };
      case 'doubt':
        return of.length > 1 && text(1) === 'covered'
          ? { op: name, what: text(0), covered: true }
          : { op: name, what: text(0) };
      case 'table':
        return { op: name, table: this.#table(call) };
      default:
        throw this.#wrong(call, 'an instruction');
    }
  }

  #table(call: Call): Table {
    const [, keys, entries, behaviours] = call.of;
    return {
      name: this.#text(call.of[0], call),
      keys: this.#named(keys, 'keys', call).of.map((key): TableKey => {
        const { name, of } = this.#call(key);
        if (name !== 'fail' && name !== 'unmatched') throw this.#wrong(key, 'fail or unmatched');
        return { of: this.#expr(of[0], key), width: this.#number(of[1], key), absent: name };
      }),
      entries: this.#entries(entries, call),
      behaviours: this.#named(behaviours, 'behaviours', call).of.map((each) => this.instruction(each, call)),
      miss: this.instruction(call.of[4], call),
    };
  }

  #entries(tree: Tree | undefined, inside: Tree): Entries {
    const call = this.#call(tree ?? this.#missing(inside, 'entries'));
    const { name, of } = call;
    if (name === 'rules') return { kind: name, rules: of.map((rule) => this.#rule(rule)) };
    if (name !== 'prefixes' && name !== 'exact') throw this.#wrong(call, 'prefixes, exact or rules');
    const [first] = of;
    const file = first?.kind === 'call' && first.name === 'file' ? this.#text(first.of[0], first) : undefined;
    const rows = (file === undefined ? of : of.slice(1)).map((row) => {
      const entry = this.#named(row, 'entry', call);
      return entry.of.map((_, i) => this.#number(entry.of[i], entry));
    });
    const width = name === 'prefixes' ? 3 : 2;
    for (const [i, row] of rows.entries()) {
      if (row.length < width) throw this.#wrong(of[i]!, `an entry of ${width} numbers`);
    }
    const column = (i: number) => rows.map((row) => row[i]!);
    const rest = {
      behaviour: Uint32Array.from(column(width - 1)),
      ...(rows.every((row) => row.length > width) && rows.length > 0 ? { lines: Uint32Array.from(column(width)) } : {}),
      ...(file === undefined ? {} : { file }),
    };
    return name === 'prefixes'
      ? { kind: name, addresses: Uint32Array.from(column(0)), lengths: Uint8Array.from(column(1)), ...rest }
      : { kind: name, values: Float64Array.from(column(0)), ...rest };
  }

  #rule(tree: Tree): Rule {
    const { of } = this.#named(tree, 'rule', tree);
    const match = this.#named(of[0], 'match', tree).of.map((each) =>
      each.kind === 'name' && each.name === 'any' ? undefined : this.#match(each),
    );
    const source = this.#source(of[2]);
    const behaviour = this.#number(of[1], tree);
    return source === undefined ? { match, behaviour } : { match, behaviour, source };
  }

  #match(tree: Tree): Match {
    const { name, of } = this.#call(tree);
    const big = (i: number) => this.#big(of[i], tree);
    switch (name) {
      case 'range':
        return { kind: name, low: big(0), high: big(1) };
      case 'prefix':
        return { kind: name, value: big(0), length: Number(big(1)) };
      case 'mask':
        return { kind: name, value: big(0), mask: big(1) };
      case 'set':
        return { kind: name, ranges: this.#ranges(of) };
      case 'other':
        return { kind: name, of: this.#match(of[0] ?? this.#missing(tree, 'a match')) };
      default:
        throw this.#wrong(tree, 'range, prefix, mask, set or other');
    }
  }

  #expr(tree: Tree | undefined, inside: Tree): Expr {
    if (tree === undefined) throw this.#wrong(inside, 'an expression in it');
    if (tree.kind === 'number' && tree.width !== undefined)
      return { kind: 'const', value: tree.value, width: tree.width };
    if (tree.kind !== 'call' || tree.name === 'meta' || tree.name === 'bits') {
      return { kind: 'read', from: this.#location(tree, inside) };
    }
    const { name, of } = tree;
    const expr = (i: number) => this.#expr(of[i], tree);
    const number = (i: number) => this.#number(of[i], tree);
    switch (name) {
      case 'fresh': {
        const made = { kind: name, name: this.#text(of[0], tree), width: number(1) } as const;
        return of.length < 3 ? made : { ...made, ranges: this.#ranges(of.slice(2)) };
      }
      case 'add':
      case 'sub':
      case 'and':
      case 'or':
      case 'xor':
      case 'mul':
        return { kind: 'binary', op: name, left: expr(0), right: expr(1) };
      case 'not':
        return { kind: name, of: expr(0) };
      case 'left':
      case 'right':
        return { kind: 'shift', op: name, of: expr(0), by: number(1) };
      case 'slice':
        return { kind: name, of: expr(0), high: number(1), low: number(2) };
      case 'extend':
        return { kind: name, of: expr(0), width: number(1) };
      case 'concat':
        return { kind: name, parts: of.map((_, i) => expr(i)) };
      default:
        throw this.#wrong(tree, 'an expression');
    }
  }

  #condition(tree: Tree | undefined, inside: Tree): Condition {
    if (tree === undefined) throw this.#wrong(inside, 'a condition in it');
    if (tree.kind === 'name' && (tree.name === 'always' || tree.name === 'never')) return { kind: tree.name };
    const { name, of } = this.#call(tree);
    if (Object.hasOwn(comparisons, name)) {
      const op: CompareOp = comparisons[name as keyof typeof comparisons];
      return { kind: 'compare', op, left: this.#expr(of[0], tree), right: this.#expr(of[1], tree) };
    }
    switch (name) {
      case 'within':
        return { kind: name, of: this.#expr(of[0], tree), ranges: this.#ranges(of.slice(1)) };
      case 'masked':
        return { kind: name, of: this.#expr(of[0], tree), value: this.#big(of[1], tree), mask: this.#big(of[2], tree) };
      case 'exists':
        return { kind: name, at: this.#location(of[0], tree) };
      case 'at':
        return { kind: name, ports: of.map((port) => this.#text(port, tree)) };
      case 'all':
      case 'any':
        return { kind: name, of: of.map((part) => this.#condition(part, tree)) };
      case 'unless':
        return { kind: 'negation', of: this.#condition(of[0], tree) };
      default:
        throw this.#wrong(tree, 'a condition');
    }
  }

  #location(tree: Tree | undefined, inside: Tree): Location {
    if (tree?.kind === 'name' && Object.hasOwn(fields, tree.name)) return fields[tree.name]!;
    if (tree?.kind !== 'call') throw this.#wrong(tree ?? inside, 'a field, meta(...) or bits(...)');
    const { name, of } = tree;
    if (name === 'meta') {
      const meta = { kind: name, name: this.#text(of[0], tree) } as const;
      return of.length < 2 ? meta : { ...meta, box: this.#text(of[1], tree) };
    }
    if (name !== 'bits') throw this.#wrong(tree, 'meta or bits');
    const field = {
      kind: 'field',
      tag: this.#text(of[0], tree),
      offset: this.#signed(of[1], tree),
      width: this.#number(of[2], tree),
    } as const;
    return of.length < 4 ? field : { ...field, name: this.#text(of[3], tree) };
  }

  #ranges(trees: readonly Tree[]): Ranges {
    return trees.map((tree) => {
      const { of } = this.#named(tree, 'range', tree);
      return [this.#big(of[0], tree), this.#big(of[1], tree)] as const;
    });
  }

  #source(tree: Tree | undefined): SourceRef | undefined {
    if (tree === undefined) return undefined;
    const { of } = this.#named(tree, 'line', tree);
    const source = { file: this.#text(of[0], tree), line: this.#number(of[1], tree) };
    return of.length < 3 ? source : { ...source, text: this.#text(of[2], tree) };
  }

  #call(tree: Tree): Call {
    if (tree.kind !== 'call') throw this.#wrong(tree, 'name(...)');
    return tree;
  }

  #named(tree: Tree | undefined, name: string, inside: Tree): Call {
    if (tree?.kind !== 'call' || tree.name !== name) throw this.#wrong(tree ?? inside, `${name}(...)`);
    return tree;
  }

  #text(tree: Tree | undefined, inside: Tree): string {
    if (tree?.kind !== 'text') throw this.#wrong(tree ?? inside, 'a text');
    return tree.text;
  }

  #big(tree: Tree | undefined, inside: Tree): bigint {
    if (tree?.kind !== 'number' || tree.width !== undefined)
      throw this.#wrong(tree ?? inside, 'a number without a width');
    return tree.value;
  }

  #number(tree: Tree | undefined, inside: Tree): number {
    const value = this.#big(tree, inside);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#wrong(tree ?? inside, 'a smaller number');
    return Number(value);
  }

  #signed(tree: Tree | undefined, inside: Tree): number {
    if (tree?.kind === 'call' && tree.name === 'minus') return -this.#number(tree.of[0], tree);
    return this.#number(tree, inside);
  }

  #missing(inside: Tree, what: string): never {
    throw this.#wrong(inside, `${what} in it`);
  }

  #wrong({ at }: Tree, expected: string) {
    return wrongAt(this.#file, at, expected);
  }
}
