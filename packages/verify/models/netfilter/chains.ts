import { block, branch, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import { constant, fresh, meta } from '../../ir/expression.ts';
import type { Match, Rule, Table } from '../../ir/table.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { Action, Chain, NfRule, Part, Test } from '../../readers/netfilter/ruleset.ts';
import { actionInstruction, setVerdict, verdictIs, verdicts, type ActionContext } from './actions.ts';
import { cubesOf, disjoint, type Cube } from './cubes.ts';
import { tableKey, type ModelKey } from './keys.ts';

/**
 * A chain becomes as few tables as its rules allow. Rules that end the chain (accept, drop, return, a translation) share a
 * table, first match wins. A rule after which the chain goes on (a jump, a mark) is the last of its table, unless no packet
 * that matches it can match the rules behind it. Between tables stands a look at the verdict.
 */
export function chainInstruction(chain: Chain, context: ActionContext): Instruction {
  const segments: Segment[] = [];
  let open = new Segment(`${chain.name}/1`, context);
  for (const rule of chain.rules) {
    if (!open.add(rule)) {
      segments.push(open);
      open = new Segment(`${chain.name}/${segments.length + 1}`, context);
      open.add(rule);
    }
  }
  segments.push(open);
  const [first, ...others] = segments.filter((segment) => !segment.empty).map((segment) => segment.instruction());
  if (first === undefined) return nothing;
  return block(first, ...others.map((next) => branch(verdictIs(context.name, verdicts.none), next, nothing)));
}

/** Keys that no action changes between two rules of a chain. */
const steady: readonly ModelKey[] = ['iif', 'oif', 'physin', 'physout', 'l4proto'];
const GOING_ON_MAX = 256;
const DOUBTS_MAX = 8;

interface Row {
  readonly cube: Cube;
  readonly behaviour: number;
  /** Only where the whole rule has matched: a row may be the first tests of a rule. */
  readonly source: SourceRef | undefined;
}

/** Rules of one table. */
class Segment {
  readonly #name: string;
  readonly #context: ActionContext;
  readonly #rows: Row[] = [];
  readonly #behaviours: Instruction[] = [];
  readonly #byText = new Map<string, number>();
  readonly #goingOn: Cube[] = [];

  constructor(name: string, context: ActionContext) {
    this.#name = name;
    this.#context = context;
  }

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  /** False when the rule must stand in a table behind this one. */
  add(rule: NfRule): boolean {
    const { tests, rest } = split(rule.parts);
    const cubes = cubesOf(tests, this.#context);
    if (cubes.length === 0) return true;
    if (this.#goingOn.length > 0) {
      if (this.#goingOn.length > GOING_ON_MAX || cubes.length > GOING_ON_MAX) return false;
      const apart = cubes.every((cube) =>
        this.#goingOn.every((before) => disjoint(before, cube, steady, this.#context.family)),
      );
      if (!apart) return false;
    }
    for (const cube of cubes) {
      const parts = [...cube.rest, ...rest];
      this.#rows.push(rowOf(cube, this.#behaviour(parts, rule.source), parts, rule.source));
      if (!ends(parts)) this.#goingOn.push(cube);
    }
    return true;
  }

  #behaviour(parts: readonly Part[], source: SourceRef): number {
    const text = JSON.stringify(parts, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    this.#behaviours.push(partsInstruction(parts, source, this.#context));
    this.#byText.set(text, this.#behaviours.length - 1);
    return this.#behaviours.length - 1;
  }

  instruction(): Instruction {
    return withDoubts(this.#name, this.#rows, this.#behaviours, this.#context);
  }
}

function ends(parts: readonly Part[]): boolean {
  const [first] = parts;
  if (first === undefined) return false;
  if (first.is === 'assign' || first.is === 'untrack') return ends(parts.slice(1));
  return (
    first.is === 'accept' ||
    first.is === 'drop' ||
    first.is === 'return' ||
    first.is === 'nat' ||
    (first.is === 'jump' && first.goto)
  );
}

function isTest(part: Part): part is Test {
  return [
    'match',
    'interface',
    'family',
    'member',
    'either',
    'address type',
    'reverse path',
    'never',
    'unknown',
  ].includes(part.is);
}

function split(parts: readonly Part[]): { tests: readonly Test[]; rest: readonly Part[] } {
  const end = parts.findIndex((part) => !isTest(part));
  const tests = (end < 0 ? parts : parts.slice(0, end)) as readonly Test[];
  return { tests, rest: end < 0 ? [] : parts.slice(end) };
}

/** What is left of a rule once the first tests hold. */
function partsInstruction(parts: readonly Part[], source: SourceRef, context: ActionContext): Instruction {
  const steps: Instruction[] = [];
  for (const [index, part] of parts.entries()) {
    if (isTest(part)) {
      const rest = parts.slice(index);
      const negated = rest.findIndex((one) => one.is === 'either' && one.negated);
      steps.push(negated === 0 ? noneOf(rest, source, context) : oneRow(rest, source, context));
      break;
    }
    steps.push(actionStep(part, source, context));
    if (part.is === 'accept' || part.is === 'drop' || part.is === 'return' || part.is === 'nat' || part.is === 'jump') {
      /** NETMAP names both sides; the one that does not fit the hook changes nothing there. */
      if (part.is !== 'nat' || parts[index + 1]?.is !== 'nat') break;
    }
  }
  return block(...steps);
}

function actionStep(action: Action, source: SourceRef, context: ActionContext): Instruction {
  if (action.is !== 'cases') return actionInstruction(action, context);
  const rows: Row[] = [];
  const behaviours: Instruction[] = [];
  for (const one of action.cases) {
    const { tests: first, rest } = split([...one.tests, ...one.parts]);
    for (const cube of cubesOf(first, context)) {
      const parts = [...cube.rest, ...rest];
      rows.push(rowOf(cube, behaviours.length, parts, source));
      behaviours.push(partsInstruction(parts, source, context));
    }
  }
  return withDoubts('map', rows, behaviours, context);
}

/** Tests that did not fit in the row before: a table of one rule. */
function oneRow(parts: readonly Part[], source: SourceRef, context: ActionContext): Instruction {
  const [first, ...rest] = parts as readonly [Test, ...Part[]];
  const rows: Row[] = [];
  const behaviours: Instruction[] = [];
  /** Rows without more of their own share what comes behind them. */
  let shared: number | undefined;
  for (const cube of cubesOf([first], context)) {
    const left = [...cube.rest, ...rest];
    const behaviour = cube.rest.length === 0 && shared !== undefined ? shared : behaviours.length;
    if (behaviour === behaviours.length) behaviours.push(partsInstruction(left, source, context));
    if (cube.rest.length === 0) shared = behaviour;
    rows.push(rowOf(cube, behaviour, left, source));
  }
  return withDoubts('rest', rows, behaviours, context);
}

/** `!= @set` of several keys: what is in the set goes past the rule. */
function noneOf(parts: readonly Part[], source: SourceRef, context: ActionContext): Instruction {
  const [first, ...rest] = parts as readonly [Test & { is: 'either' }, ...Part[]];
  const cubes = cubesOf([{ ...first, negated: false }], context);
  if (cubes.some((cube) => cube.rest.length > 0)) {
    return oneRow([{ is: 'unknown', what: 'not one of rows that test a key twice' }, ...rest], source, context);
  }
  const rows = cubes.map((cube): Row => ({ cube, behaviour: 0, source: undefined }));
  const then = partsInstruction(rest, source, context);
  return withDoubts('none of', rows, [nothing], context, undecided(rest) ? then : hit(then, source, context));
}

function rowOf(cube: Cube, behaviour: number, parts: readonly Part[], source: SourceRef): Row {
  return { cube, behaviour, source: undecided(parts) ? undefined : source };
}

/** Whether the rest of a rule still tests the packet. */
function undecided([first]: readonly Part[]): boolean {
  return first !== undefined && (isTest(first) || first.is === 'cases');
}

/** A row that any packet matches, so that the rule is named where it was the failure of a test that made it match. */
function hit(then: Instruction, source: SourceRef, context: ActionContext): Instruction {
  const rules: Rule[] = [{ match: [undefined], behaviour: 0, source }];
  const keys = [tableKey('l4proto', context.family, context.name)];
  return {
    op: 'table',
    table: { name: 'hit', keys, entries: { kind: 'rules', rules }, behaviours: [then], miss: then },
  };
}

function table(
  name: string,
  rows: readonly { matches: ReadonlyMap<ModelKey, Match>; behaviour: number; source: SourceRef | undefined }[],
  behaviours: readonly Instruction[],
  context: ActionContext,
  miss: Instruction,
): Instruction {
  if (rows.length === 0) return miss;
  const keys = [...new Set(rows.flatMap(({ matches }) => [...matches.keys()]))].toSorted();
  const rules = rows.map(
    ({ matches, behaviour, source }): Rule => ({
      match: keys.map((key) => matches.get(key)),
      behaviour,
      ...(source === undefined ? {} : { source }),
    }),
  );
  const made: Table = {
    name,
    keys: keys.map((key) => tableKey(key, context.family, context.name)),
    entries: { kind: 'rules', rules },
    behaviours,
    miss,
  };
  return { op: 'table', table: made };
}

/**
 * Rows with tests whose result is not known. One free bit for each behaviour says whether they hold: for a packet that comes
 * past several of them, every behaviour that is possible is possible with the bits, and no other. Whether a packet comes past
 * any of them is a table of its own, so that the others carry no doubt.
 */
function withDoubts(
  name: string,
  rows: readonly Row[],
  behaviours: readonly Instruction[],
  context: ActionContext,
  miss: Instruction = nothing,
): Instruction {
  const plain = (row: Row) => ({ matches: row.cube.matches, behaviour: row.behaviour, source: row.source });
  if (rows.every(({ cube }) => cube.unknown.length === 0))
    return table(name, rows.map(plain), behaviours, context, miss);
  const bits = new Map<number, ModelKey>();
  for (const { cube, behaviour } of rows) if (cube.unknown.length > 0) bits.set(behaviour, `doubt.${behaviour}`);
  const whats = [...new Set(rows.flatMap(({ cube }) => (cube.unknown.length > 0 ? [cube.unknown.join('; ')] : [])))];
  const doubts = (
    whats.length > DOUBTS_MAX ? [[...whats.slice(0, 3), `${whats.length - 3} more`].join('; ')] : whats
  ).map((what): Instruction => ({ op: 'doubt', what, covered: true }));
  const put = (bit: (key: ModelKey) => Instruction) => block(...[...bits.values()].map(bit));
  const free = put((key) => ({ op: 'assign', to: meta(key, context.name), value: fresh('not known', 1) }));
  const fixed = put((key) => ({ op: 'assign', to: meta(key, context.name), value: constant(0n, 1) }));
  const passes = rows.map(({ cube }) => ({
    matches: cube.matches,
    behaviour:
      cube.unknown.length === 0 ? doubts.length : Math.min(whats.indexOf(cube.unknown.join('; ')), doubts.length - 1),
    source: undefined,
  }));
  const looked = table(`${name}?`, passes, [...doubts.map((doubt) => block(doubt, free)), fixed], context, fixed);
  const decided = rows.map((row) => {
    const bit = bits.get(row.behaviour);
    const { matches, ...rest } = plain(row);
    const certain = row.cube.unknown.length === 0 || bit === undefined;
    return {
      ...rest,
      matches: certain ? matches : new Map(matches).set(bit, { kind: 'range', low: 1n, high: 1n } as const),
    };
  });
  return block(looked, table(name, decided, behaviours, context, miss));
}

/** A base chain: its rules, then its policy. */
export function baseInstruction(chain: Chain, routine: string | undefined, context: ActionContext): Instruction {
  const policy = chain.base?.policy ?? 'accept';
  const goOn = setVerdict(context.name, verdicts.none);
  const call: Instruction[] = routine === undefined ? [] : [{ op: 'call', routine }];
  if (policy === 'accept') return call.length === 0 ? nothing : block(...call, goOn);
  const refuse = drop(`policy of ${chain.name}`, chain.source);
  if (call.length === 0) return refuse;
  return block(...call, branch(verdictIs(context.name, verdicts.accept), goOn, refuse));
}
