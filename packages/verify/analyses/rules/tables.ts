import { type Diagrams, FALSE, TRUE } from '../../diagram/diagrams.ts';
import { childrenOf, type Instruction } from '../../ir/instruction.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { PrefixEntries, ExactEntries, Rule, Table } from '../../ir/table.ts';
import { Columns } from './columns.ts';
import { superfluousPrefixes, superfluousValues } from './prefixes.ts';
import { type FaultKind, type ListedRule, superfluous } from './superfluous.ts';

/** A rule that does nothing, where it stands. */
export interface RuleFault {
  readonly kind: FaultKind;
  /** The chain or table. */
  readonly place: string;
  readonly rule: SourceRef;
  /** The rules that take its packets, or to which they would go; none: the end of the list. */
  readonly by: readonly SourceRef[];
}

export interface Examined {
  readonly rules: number;
  readonly faults: readonly RuleFault[];
}

/** All tables of a program, each once. */
export function tablesOf(program: Instruction, found: Set<Table> = new Set()): Set<Table> {
  if (program.op === 'table') {
    if (found.has(program.table)) return found;
    found.add(program.table);
  }
  for (const each of childrenOf(program)) tablesOf(each, found);
  return found;
}

/** Rules that are `shared` do something in other tables too, and stay. */
export function examineTable(table: Table, diagrams: Diagrams, shared: (rule: SourceRef) => boolean): Examined {
  const { entries } = table;
  return entries.kind === 'rules' ? ofRules(table, entries.rules, diagrams, shared) : ofColumns(table, entries);
}

function ofColumns(table: Table, entries: PrefixEntries | ExactEntries): Examined {
  const { lines, file } = entries;
  const rules = entries.behaviour.length;
  if (lines === undefined || file === undefined) return { rules: 0, faults: [] };
  const miss = missOf(table);
  const faults =
    entries.kind === 'prefixes'
      ? superfluousPrefixes(entries, table.keys[0]!.width, miss)
      : superfluousValues(entries, miss);
  const at = (i: number): SourceRef => ({ file, line: lines[i]! });
  return {
    rules,
    faults: [...faults].map(([i, { kind, by }]) => ({ kind, place: table.name, rule: at(i), by: by.map(at) })),
  };
}

/** Which behaviour a packet without an entry has too; -1 when none does that. Larger programs are taken for different. */
function missOf({ behaviours, miss }: Table): number {
  return behaviours.findIndex(
    (each) =>
      (each.op === 'drop' && miss.op === 'drop' && each.why === miss.why) ||
      (each.op === 'forward' && miss.op === 'forward' && each.to === miss.to),
  );
}

/** One rule of the input may have become several rows in a row. */
interface Written {
  readonly rows: Rule[];
  readonly source: SourceRef | undefined;
}

function ofRules(
  table: Table,
  rows: readonly Rule[],
  diagrams: Diagrams,
  shared: (rule: SourceRef) => boolean,
): Examined {
  const written: Written[] = [];
  for (const row of rows) {
    const last = written.at(-1);
    const same = last?.source !== undefined && last.source === row.source && last.rows[0]!.behaviour === row.behaviour;
    if (same) last.rows.push(row);
    else written.push({ rows: [row], source: row.source });
  }
  const columns = new Columns(diagrams);
  const packets = table.keys.reduce(
    (all, { absent }, i) => (absent === 'fail' ? diagrams.and(all, columns.isThere(`${i}`)) : all),
    TRUE,
  );
  const times = new Map<SourceRef, number>();
  for (const { source } of written) if (source !== undefined) times.set(source, (times.get(source) ?? 0) + 1);
  const rules = written.map(({ rows: ways, source }): ListedRule => {
    const node = ways.reduce((all, { match }) => diagrams.or(all, nodeOf(match)), FALSE);
    // Of a rule that does several things, one may be needed.
    const fixed = source === undefined || times.get(source)! > 1 || shared(source);
    return { upper: node, lower: node, behaviour: String(ways[0]!.behaviour), changes: false, fixed };
  });
  const faults = superfluous({ diagrams, rules, packets, miss: String(missOf(table)), changed: (same) => same });
  const found = [...faults].map(([i, { kind, by }]): RuleFault => {
    const others = by.flatMap((j) => written[j]!.source ?? []);
    return { kind, place: table.name, rule: written[i]!.source!, by: others };
  });
  return { rules: times.size, faults: found };

  function nodeOf(match: Rule['match']) {
    return match.reduce<number>((all, each, i) => {
      if (each === undefined) return all;
      return diagrams.and(all, columns.matches(`${i}`, table.keys[i]!.width, each));
    }, TRUE);
  }
}
