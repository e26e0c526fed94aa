import type { SourceRef } from '../ir/source.ts';
import type { ExactEntries, PrefixEntries, Rule, Table } from '../ir/table.ts';
import { within } from '../solve/formula.ts';
import { intersect, type Intervals, intervals, isEmpty } from '../solve/intervals.ts';
import type { PathCondition } from '../solve/path-condition.ts';
import { type SymbolId, symbolWidths, type Value } from '../solve/value.ts';
import { tableClasses } from '../tables/classes.ts';
import { exactClasses, prefixClasses } from '../tables/prefixes.ts';
import type { Question } from './question.ts';

/** Which lines of the input did something with some packet, while questions were asked. */
export class Coverage {
  readonly #lines = new Map<string, Set<number>>();
  readonly #tables = new WeakMap<Table, Entries>();

  has(file: string, line: number): boolean {
    return this.#lines.get(file)?.has(line) ?? false;
  }

  ran({ file, line }: SourceRef): void {
    const lines = this.#lines.get(file);
    if (lines === undefined) this.#lines.set(file, new Set([line]));
    else lines.add(line);
  }

  /** Packets look into a table: which of its entries do some of them hit? A table is split by what it does, not by entry. */
  looked(table: Table, values: readonly (Value | undefined)[], condition: PathCondition, question: Question): void {
    let entries = this.#tables.get(table);
    if (entries === undefined) {
      entries =
        table.entries.kind === 'rules' ? new Rows(table, table.entries.rules) : new Columns(table, table.entries);
      this.#tables.set(table, entries);
    }
    for (const source of entries.hit(values, condition, question)) this.ran(source);
  }
}

interface Entries {
  /** Entries that are hit for the first time. */
  hit(values: readonly (Value | undefined)[], condition: PathCondition, question: Question): readonly SourceRef[];
}

/** A table in which every rule is a behaviour of its own. */
class Rows implements Entries {
  readonly #apart: Table;
  readonly #rules: readonly Rule[];
  readonly #left: Set<number>;

  constructor(table: Table, rules: readonly Rule[]) {
    this.#rules = rules;
    this.#apart = { ...table, entries: { kind: 'rules', rules: rules.map((rule, i) => ({ ...rule, behaviour: i })) } };
    this.#left = new Set(rules.flatMap(({ source }, i) => (source === undefined ? [] : [i])));
  }

  hit(values: readonly (Value | undefined)[], condition: PathCondition, question: Question): readonly SourceRef[] {
    if (this.#left.size === 0) return [];
    const widths = new Map<SymbolId, number>();
    for (const value of values) if (value !== undefined) symbolWidths(value, widths);
    const found: SourceRef[] = [];
    for (const { behaviour, when } of tableClasses(this.#apart, values, question.bits)) {
      if (behaviour === undefined || !this.#left.has(behaviour)) continue;
      question.budget.step();
      const some = 'node' in when ? condition.andNode(when.node, widths) : condition.and(when);
      if (some === undefined || some.satisfiable(question.solve) === 'no') continue;
      this.#left.delete(behaviour);
      found.push(this.#rules[behaviour]!.source!);
    }
    return found;
  }
}

class Columns implements Entries {
  readonly #entries: PrefixEntries | ExactEntries;
  /** Of each entry what is left to it by others. */
  readonly #sets: readonly Intervals[];
  readonly #left: Set<number>;

  constructor(table: Table, entries: PrefixEntries | ExactEntries) {
    this.#entries = entries;
    const each = { ...entries, behaviour: entries.behaviour.map((_, i) => i) };
    const make = entries.kind === 'prefixes' ? prefixClasses : exactClasses;
    const isNamed = entries.lines !== undefined && entries.file !== undefined;
    this.#sets = isNamed ? make(each as never, table.keys[0]!.width, each.behaviour.length).sets : [];
    this.#left = new Set(this.#sets.keys());
  }

  hit([value]: readonly (Value | undefined)[], condition: PathCondition, question: Question): readonly SourceRef[] {
    if (value === undefined || this.#left.size === 0) return [];
    const ranges = condition.ranges(value, question.limits.ranges);
    const reached = ranges === undefined ? undefined : intervals(value.width, ranges);
    const found: SourceRef[] = [];
    for (const i of this.#left) {
      question.budget.step();
      const set = this.#sets[i]!;
      const isHit =
        reached === undefined ? condition.and(within(value, set)) !== undefined : !isEmpty(intersect(set, reached));
      if (!isHit) continue;
      this.#left.delete(i);
      found.push({ file: this.#entries.file!, line: this.#entries.lines![i]! });
    }
    return found;
  }
}
