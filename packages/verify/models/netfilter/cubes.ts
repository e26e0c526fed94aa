import { negate, setOf, subtract, type Range } from '../../readers/netfilter/addresses.ts';
import type { Match } from '../../ir/table.ts';
import type { IpSet, Test } from '../../readers/netfilter/ruleset.ts';
import { localRanges, routedRanges, typeRanges } from './addresses-of-box.ts';
import { type Interfaces, type IpFamily, type NetfilterBox, THIS_HOST } from './box.ts';
import { memberTests } from './ipset-tests.ts';
import { type ModelKey, widthOfKey } from './keys.ts';
import { both, fromRanges, isAlways, isNever, rangesOf } from './match-algebra.ts';

/** One way for a rule to match: a match for each key that it looks at. */
export interface Cube {
  readonly matches: ReadonlyMap<ModelKey, Match>;
  /** Tests whose result is not known. */
  readonly unknown: readonly string[];
  /** Tests that do not fit in one row of a table; they come after it. */
  readonly rest: readonly Test[];
}

export interface Surroundings {
  readonly family: IpFamily;
  readonly box: NetfilterBox;
  readonly interfaces: Interfaces;
  readonly ipsets: ReadonlyMap<string, IpSet>;
}

/** Rows that one rule may become; beyond, its tests are tried one after the other. */
const ROWS_MAX = 20_000;

/** The ways in which all the tests hold. None: they never do. */
export function cubesOf(tests: readonly Test[], around: Surroundings): readonly Cube[] {
  let cubes: Cube[] = [{ matches: new Map(), unknown: [], rest: [] }];
  for (const test of tests) {
    cubes = applyTest(cubes, test, around);
    if (cubes.length === 0) return [];
  }
  return cubes;
}

function applyTest(cubes: Cube[], test: Test, around: Surroundings): Cube[] {
  switch (test.is) {
    case 'match':
      return cubes.flatMap((cube) => narrow(cube, test.key, test.match, test, around));
    case 'interface': {
      const numbers = test.names.flatMap((name) => around.interfaces.numbers(name));
      const all = test.names.includes('*')
        ? ([[1n, THIS_HOST - 1n]] as Range[])
        : numbers.map((one): Range => [one, one]);
      const match = negate(setOf(all), test.negated);
      return cubes.flatMap((cube) => narrow(cube, test.key, match, test, around));
    }
    case 'family':
      return test.families.includes(around.family) ? cubes : [];
    case 'never':
      return [];
    case 'unknown':
      return cubes.map((cube) => ({ ...cube, unknown: [...cube.unknown, test.what] }));
    case 'member': {
      const tests = memberTests(around.ipsets, test.set, test.directions);
      if (tests === undefined)
        return applyTest(cubes, { is: 'unknown', what: `the contents of set ${test.set}` }, around);
      return applyTest(cubes, { is: 'either', of: [tests], negated: test.negated }, around);
    }
    case 'address type':
      return applyTest(cubes, addressTypeTest(test, around), around);
    case 'reverse path':
      return applyTest(cubes, reversePathTest(test, around), around);
    case 'either':
      return test.negated ? applyNegated(cubes, test, around) : applyEither(cubes, test, around);
  }
}

function narrow(cube: Cube, key: ModelKey, match: Match, test: Test, around: Surroundings): Cube[] {
  const width = widthOfKey(key, around.family);
  if (width === undefined || isNever(match, width)) return [];
  const before = cube.matches.get(key);
  if (before === undefined) {
    /** A port that may be any still asks for there being a port. */
    if (isAlways(match, width) && key !== 'sport' && key !== 'dport') return [cube];
    return [{ ...cube, matches: new Map(cube.matches).set(key, match) }];
  }
  const joined = both(before, match, width);
  if (joined === 'never') return [];
  if (joined === undefined) return [{ ...cube, rest: [...cube.rest, test] }];
  return [{ ...cube, matches: new Map(cube.matches).set(key, joined) }];
}

function applyEither(cubes: Cube[], test: Test & { is: 'either' }, around: Surroundings): Cube[] {
  if (cubes.length > 1 && test.of.length * cubes.length > ROWS_MAX)
    return cubes.map((cube) => ({ ...cube, rest: [...cube.rest, test] }));
  return cubes.flatMap((cube) =>
    test.of.flatMap((row) => row.reduce((made: Cube[], one) => applyTest(made, one, around), [cube])),
  );
}

function applyNegated(cubes: Cube[], test: Test & { is: 'either' }, around: Surroundings): Cube[] {
  const rows = test.of.map((row) => row.filter((one) => !holdsAlways(one, around)));
  if (rows.some((row) => row.length === 0)) return [];
  const possible = rows.filter(
    (row) => !row.some((one) => one.is === 'never' || (one.is === 'family' && !one.families.includes(around.family))),
  );
  /** not (a or b): neither. */
  if (possible.every((row) => row.length === 1 && invert(row[0]!) !== undefined)) {
    return possible.reduce((made, row) => applyTest(made, invert(row[0]!)!, around), cubes);
  }
  /** not (a and b): one of them not. */
  const only = possible.length === 1 ? possible[0]!.map(invert) : undefined;
  if (only !== undefined && !only.includes(undefined)) {
    return applyEither(cubes, { is: 'either', of: only.map((one) => [one!]), negated: false }, around);
  }
  return cubes.map((cube) => ({ ...cube, rest: [...cube.rest, { is: 'either', of: possible, negated: true }] }));
}

function holdsAlways(test: Test, around: Surroundings): boolean {
  return test.is === 'family' && test.families.includes(around.family);
}

function invert(test: Test): Test | undefined {
  switch (test.is) {
    case 'match':
      return { ...test, match: negate(test.match, true) };
    case 'interface':
    case 'member':
    case 'address type':
    case 'reverse path':
    case 'either':
      return { ...test, negated: !test.negated };
    case 'unknown':
      return test;
    case 'family':
    case 'never':
      return undefined;
  }
}

function addressTypeTest(test: Test & { is: 'address type' }, around: Surroundings): Test {
  const key = `${around.family}.${test.side === 'source' ? 'saddr' : 'daddr'}` as const;
  const ranges = (name?: string) => {
    const only = name === undefined ? undefined : around.box.interfaces.find((one) => one.name === name);
    return typeRanges(around.box, around.family, test.types, only);
  };
  if (test.limit === undefined) {
    const found = ranges();
    return found === undefined
      ? { is: 'unknown', what: `addresses of type ${test.types.join(', ')}` }
      : { is: 'match', key, match: negate(fromRanges(found), test.negated) };
  }
  const limit = test.limit;
  const rows: Test[][] = [];
  for (const name of around.interfaces.names) {
    const found = ranges(name);
    if (found === undefined) return { is: 'unknown', what: `addresses of type ${test.types.join(', ')}` };
    rows.push([
      { is: 'interface', key: limit, names: [name], negated: false },
      { is: 'match', key, match: negate(fromRanges(found), test.negated) },
    ]);
  }
  return { is: 'either', of: rows, negated: false };
}

/** rpfilter(8): the best route to the source leaves by the interface that the packet came from. */
/** Priorities of the rules that a kernel begins with. */
const FIRST_RULES: readonly number[] = [0, 32_766, 32_767];

function reversePathTest(test: Test & { is: 'reverse path' }, around: Surroundings): Test {
  const chooses = around.box.policies?.some(
    (rule) => rule.family === around.family && !FIRST_RULES.includes(rule.priority),
  );
  if (chooses === true) return { is: 'unknown', what: 'the way back, which rules choose' };
  /** Addresses of this host are not behind any interface. */
  const local = localRanges(around.box, around.family);
  const routed = routedRanges(around.box, around.family).byInterface;
  const byInterface = new Map([...routed].map(([name, ranges]) => [name, subtract(ranges, local)]));
  const key = `${around.family}.saddr` as const;
  if (test.loose) {
    const all = setOf([...byInterface.values()].flat());
    return { is: 'match', key, match: negate(all, test.negated) };
  }
  const rows: Test[][] = around.interfaces.names.map((name) => [
    { is: 'interface', key: 'iif', names: [name], negated: false },
    {
      is: 'match',
      key,
      match: negate(name === 'lo' ? fullMatch(around.family) : setOf(byInterface.get(name) ?? []), test.negated),
    },
  ]);
  return { is: 'either', of: rows, negated: false };
}

function fullMatch(family: IpFamily): Match {
  return { kind: 'range', low: 0n, high: (1n << (family === 'ip' ? 32n : 128n)) - 1n };
}

/** No packet can match both: they differ on a key that nothing on the way changes. */
export function disjoint(a: Cube, b: Cube, keys: readonly ModelKey[], family: IpFamily): boolean {
  return keys.some((key) => {
    const left = a.matches.get(key);
    const right = b.matches.get(key);
    const width = widthOfKey(key, family);
    if (left === undefined || right === undefined || width === undefined) return false;
    const ranges = [rangesOf(left, width), rangesOf(right, width)];
    return ranges[0] !== undefined && ranges[1] !== undefined && both(left, right, width) === 'never';
  });
}
