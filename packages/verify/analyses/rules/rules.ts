import { assemble, type Assembled } from '../../assemble/assemble.ts';
import { linuxBox } from '../../assemble/linux-box.ts';
import { partsOf } from '../../assemble/parts.ts';
import { DiagramLimit, Diagrams } from '../../diagram/diagrams.ts';
import type { Table } from '../../ir/table.ts';
import { type SourceRef, sourceName } from '../../ir/source.ts';
import { defaultLimits } from '../../limits.ts';
import { boxOf } from '../../network.ts';
import type { InputFile } from '../../read/reader.ts';
import type { Verdict } from '../../verdict.ts';
import { examineChain } from './chains.ts';
import { type Examined, examineTable, type RuleFault, tablesOf } from './tables.ts';

export type { RuleFault } from './tables.ts';

export interface RulesReport extends Pick<Assembled, 'readings'> {
  /** How many rules were looked at. */
  readonly rules: number;
  /** By file and line. */
  readonly faults: readonly RuleFault[];
  /** Where nobody can say, and why. */
  readonly undecided: readonly string[];
}

/** The rules of each table and of each chain that could as well not be there. */
export function examineRules(
  name: string,
  files: readonly InputFile[],
  milliseconds: number,
  diagramNodes = defaultLimits.diagramNodes,
): RulesReport {
  const { network, readings } = assemble(name, files);
  const end = performance.now() + milliseconds;
  const undecided: string[] = [];
  const examined: Examined[] = [];
  const examine = (place: string, work: (diagrams: Diagrams) => Examined) => {
    const tick = () => {
      if (performance.now() > end) throw new DiagramLimit('milliseconds');
    };
    try {
      tick();
      examined.push(work(new Diagrams(diagramNodes, tick)));
    } catch (error) {
      if (!(error instanceof DiagramLimit)) throw error;
      undecided.push(`${place}: the bound ${error.message} was hit`);
    }
  };
  const tables = tablesIn(network);
  const shared = sharedRules(tables);
  for (const table of tables) {
    examine(table.name, (diagrams) => examineTable(table, diagrams, (rule) => shared.has(keyOf(rule))));
  }
  if ([...network.boxes.values()].some(({ kind }) => kind === 'netfilter')) {
    for (const parts of partsOf(files).boxes.values()) {
      for (const table of parts.rulesets.flatMap(({ tables }) => tables)) {
        for (const chain of table.chains.values()) {
          examine(`${table.name} ${chain.name}`, (diagrams) => examineChain(linuxBox(parts), table, chain, diagrams));
        }
      }
    }
  }
  const partly = unread(readings);
  for (const [file, lines] of partly) {
    undecided.push(`${file}: ${lines} lines were not understood, so that redundant rules are not looked for in it`);
  }
  return {
    rules: examined.reduce((sum, { rules }) => sum + rules, 0),
    faults: faultsOf(examined).filter(({ kind, rule }) => kind !== 'redundant' || !partly.has(rule.file)),
    undecided,
    readings,
  };
}

/** Chains are looked at as they are written, and not as the tables that they become. */
function tablesIn({ boxes, programs, routines }: Assembled['network']): ReadonlySet<Table> {
  const found = new Set<Table>();
  const chained = new Set([...boxes.values()].filter(({ kind }) => kind === 'netfilter').map(({ name }) => name));
  for (const [port, program] of programs) if (!chained.has(boxOf(port))) tablesOf(program, found);
  for (const [routine, body] of routines) {
    const box = routine.slice(0, routine.indexOf('/'));
    for (const table of tablesOf(body)) if (!chained.has(box) || table.name === `${box} routes`) found.add(table);
  }
  return found;
}

/** Rules that became rows of several tables: what is superfluous in one may be needed in another. */
function sharedRules(tables: ReadonlySet<Table>): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { entries } of tables) {
    if (entries.kind !== 'rules') continue;
    const own = new Set(entries.rules.flatMap(({ source }) => (source === undefined ? [] : [keyOf(source)])));
    for (const key of own) (seen.has(key) ? shared : seen).add(key);
  }
  return shared;
}

const keyOf = (rule: SourceRef) => `${sourceName(rule)} ${rule.text ?? ''}`;

/** Each once: an element that is used twice has its table twice. */
function faultsOf(examined: readonly Examined[]): readonly RuleFault[] {
  const faults = new Map(examined.flatMap((each) => each.faults).map((fault) => [keyOf(fault.rule), fault]));
  return [...faults.values()].toSorted((a, b) => order(a.rule, b.rule));
}

const order = (a: SourceRef, b: SourceRef) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);

/** Files in which a rule may stand that is not known, between two that are. */
function unread(readings: Assembled['readings']): ReadonlyMap<string, number> {
  const bad = readings.filter(({ format, lines }) => {
    // Rules of iptables that are not understood are rules that may match or not.
    return lines['not understood'] > 0 && !(format.startsWith('ip') && format.endsWith('tables-save'));
  });
  return new Map(bad.map(({ file, lines }) => [file, lines['not understood']]));
}

/** One verdict for each rule, for reports. */
export function ruleVerdicts({ faults }: RulesReport): readonly Verdict[] {
  return faults.map((fault) => ({
    question: `rules/${fault.kind}`,
    answer: 'violated',
    because: ruleFaultText(fault),
    paths: [],
    dependsOn: [],
    rules: [fault.rule],
  }));
}

const NAMED_MAX = 5;

export function ruleFaultText({ kind, place, rule, by }: RuleFault): string {
  const named = by.slice(0, NAMED_MAX).map(sourceName).join(', ');
  const others = by.length > NAMED_MAX ? `${named} and ${by.length - NAMED_MAX} more` : named;
  const why = {
    impossible: 'no packet is such that it matches',
    shadowed: `no packet gets to it: ${others} ${by.length === 1 ? 'takes' : 'take'} all that it matches`,
    redundant: `it changes nothing: without it ${others === '' ? 'the end of the list' : others} would do the same`,
  }[kind];
  return `${sourceName(rule)} (${place}) is ${kind}: ${why}`;
}
