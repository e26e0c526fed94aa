import type { ExactEntries, Match, PrefixEntries, Rule, Table } from '../ir/table.ts';
import { type Formula, isTruth, masked, not, truth, within } from '../solve/formula.ts';
import { complement, type Intervals, intervals, isEmpty, ranges, topOf } from '../solve/intervals.ts';
import type { Value } from '../solve/value.ts';
import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Bits } from '../solve/bits.ts';
import { type FirstMatch, firstMatch, type RuledRange } from './first-match.ts';
import { type ColumnClasses, exactClasses, prefixClasses } from './prefixes.ts';

/** The packets for which a table does one thing. `undefined` behaviour: the miss. */
export interface TableClass {
  readonly behaviour: number | undefined;
  readonly when: Formula | { readonly node: Node };
}

const columns = new WeakMap<Table, ColumnClasses>();

/** Of a table whose entries are columns. Made once. */
function columnClasses(table: Table, entries: PrefixEntries | ExactEntries): ColumnClasses {
  let known = columns.get(table);
  if (known === undefined) {
    const { width } = table.keys[0]!;
    const make = entries.kind === 'prefixes' ? prefixClasses : exactClasses;
    known = make(entries as never, width, table.behaviours.length);
    columns.set(table, known);
  }
  return known;
}

/** Values that a table met before. Bounded: packets with other symbols come late in an exploration. */
const REMEMBERED = 1_024;
const remembered = new WeakMap<Bits, WeakMap<Table, Map<string, readonly TableClass[]>>>();

/**
 * The disjoint classes of packets that a table makes, one for each behaviour that some packet meets. `values` are the
 * keys as they are in the packet; undefined is a key that is not there.
 */
export function tableClasses(table: Table, values: readonly (Value | undefined)[], bits: Bits): readonly TableClass[] {
  if (table.entries.kind !== 'rules') return ofColumns(columnClasses(table, table.entries), values[0]);
  const perTable = remembered.get(bits) ?? new WeakMap<Table, Map<string, readonly TableClass[]>>();
  remembered.set(bits, perTable);
  const known = perTable.get(table) ?? new Map<string, readonly TableClass[]>();
  perTable.set(table, known);
  const signature = values.map(signatureOf).join('|');
  let classes = known.get(signature);
  if (classes === undefined) {
    classes = ofRules(table.entries.rules, values, bits);
    if (known.size >= REMEMBERED) known.clear();
    known.set(signature, classes);
  }
  return classes;
}

function signatureOf(value: Value | undefined): string {
  if (value === undefined) return '-';
  if (value.kind === 'const') return `c${value.value}`;
  if (value.kind === 'sum') return `s${value.symbol}+${value.offset}`;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}

function ofColumns({ sets, miss }: ColumnClasses, value: Value | undefined): readonly TableClass[] {
  if (value === undefined) return [{ behaviour: undefined, when: truth }];
  const classes: TableClass[] = sets.map((set, behaviour) => ({ behaviour, when: within(value, set) }));
  return [...classes, { behaviour: undefined, when: within(value, miss) }];
}

/** From the first rule to the last, each takes what the earlier ones left. */
function ofRules(rules: readonly Rule[], values: readonly (Value | undefined)[], bits: Bits): readonly TableClass[] {
  const open = values.filter((value) => value !== undefined && value.kind !== 'const');
  const isOpen = values.map((value) => value !== undefined && value.kind !== 'const');
  const single =
    open.length === 1 &&
    open[0]!.kind === 'sum' &&
    rules.every((rule) => rule.match.every((match, i) => !isOpen[i] || isPlain(match)));
  return single ? byIntervals(rules, values, open[0]!, bits) : byDiagrams(rules, values, bits);
}

const isPlain = (match: Match | undefined): boolean =>
  match === undefined || (match.kind === 'other' ? isPlain(match.of) : match.kind !== 'mask');

const swept = new WeakMap<readonly Rule[], Map<string, FirstMatch>>();

/** One key is open; what the others are says which rules are left. Remembered over questions: it depends on no symbol. */
function byIntervals(
  rules: readonly Rule[],
  values: readonly (Value | undefined)[],
  of: Value,
  { diagrams }: Bits,
): readonly TableClass[] {
  const known = swept.get(rules) ?? new Map<string, FirstMatch>();
  swept.set(rules, known);
  const signature = values.map((value) => (value === of ? '?' : signatureOf(value))).join('|');
  let found = known.get(signature);
  if (found === undefined) {
    found = firstMatch(
      of.width,
      ruledRanges(rules, values, of, () => diagrams.tick()),
    );
    if (known.size >= REMEMBERED) known.clear();
    known.set(signature, found);
  }
  const classes: TableClass[] = [...found.sets].map(([behaviour, set]) => ({ behaviour, when: within(of, set) }));
  if (!isEmpty(found.miss)) classes.push({ behaviour: undefined, when: within(of, found.miss) });
  return classes;
}

function ruledRanges(
  rules: readonly Rule[],
  values: readonly (Value | undefined)[],
  of: Value,
  tick: () => void,
): readonly RuledRange[] {
  const ranges: RuledRange[] = [];
  const top = topOf(of.width);
  for (const { match, behaviour } of rules) {
    tick();
    let open: Match | undefined;
    const isMet = match.every((each, i) => {
      if (each === undefined) return true;
      const value = values[i];
      if (value === of) open = each;
      return value !== undefined && (value === of || isTruth(formulaOf(each, value)));
    });
    if (!isMet) continue;
    if (open === undefined) ranges.push({ low: 0n, high: top, behaviour });
    else for (const [low, high] of rangesOf(open, of.width)) ranges.push({ low, high, behaviour });
  }
  return ranges;
}

function rangesOf(match: Match, width: number): readonly (readonly [low: bigint, high: bigint])[] {
  switch (match.kind) {
    case 'range':
      return match.low <= match.high ? [[match.low, match.high]] : [];
    case 'prefix': {
      const below = topOf(width - match.length);
      return [[match.value - (match.value & below), match.value | below]];
    }
    case 'set':
      return match.ranges;
    default:
      return ranges(setOf(match, width));
  }
}

function byDiagrams(rules: readonly Rule[], values: readonly (Value | undefined)[], bits: Bits): readonly TableClass[] {
  const { diagrams } = bits;
  const sets = new Map<number, Node>();
  const seen = new Map<string, Node>();
  let left: Node = TRUE;
  for (const rule of rules) {
    let node: Node = left;
    for (let i = 0; i < rule.match.length && node !== FALSE; i += 1) {
      const match = rule.match[i];
      if (match === undefined) continue;
      const value = values[i];
      if (value === undefined) node = FALSE;
      else if (value.kind === 'const') node = isTruth(formulaOf(match, value)) ? node : FALSE;
      else {
        const key = `${i} ${matchKey(match)}`;
        let made = seen.get(key);
        if (made === undefined) {
          made = bits.formula(formulaOf(match, value));
          seen.set(key, made);
        }
        node = diagrams.and(node, made);
      }
    }
    if (node === FALSE) continue;
    sets.set(rule.behaviour, diagrams.or(sets.get(rule.behaviour) ?? FALSE, node));
    left = diagrams.minus(left, node);
    if (left === FALSE) break;
  }
  const classes: TableClass[] = [...sets].map(([behaviour, node]) => ({ behaviour, when: { node } }));
  if (left !== FALSE) classes.push({ behaviour: undefined, when: { node: left } });
  return classes;
}

function matchKey(match: Match): string {
  switch (match.kind) {
    case 'range':
      return `${match.low}-${match.high}`;
    case 'prefix':
      return `${match.value}/${match.length}`;
    case 'mask':
      return `${match.value}&${match.mask}`;
    case 'set':
      return match.ranges.map(([low, high]) => `${low}-${high}`).join(',');
    case 'other':
      return `!${matchKey(match.of)}`;
  }
}

export function formulaOf(match: Match, value: Value): Formula {
  if (match.kind === 'mask') return masked(value, match.value, match.mask);
  if (match.kind === 'other') return not(formulaOf(match.of, value));
  return within(value, setOf(match, value.width));
}

function setOf(match: Match, width: number): Intervals {
  switch (match.kind) {
    case 'range':
    case 'prefix':
    case 'set':
      return intervals(width, rangesOf(match, width));
    case 'other':
      return complement(setOf(match.of, width));
    case 'mask':
      throw new RangeError('a mask is no set of intervals');
  }
}
