import type { Comparison, Filter, Test } from '../../filter/ast.ts';
import { read } from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import type { Instruction } from '../../ir/instruction.ts';
import type { Match, Rule } from '../../ir/table.ts';
import type { FilterRule } from './classifiers.ts';
import { distinctBehaviours, type ElementContext, sourceOf } from './element.ts';

/**
 * Long lists of simple patterns as a match-action table, so that packets split by what is done with them and not by the
 * pattern that they match. Patterns of addresses, ports, protocols and Ethernet addresses, joined by and and or.
 */
const keyNames = [
  'Ether.dst',
  'Ether.src',
  'IPv4.src',
  'IPv4.dst',
  'IPv4.proto',
  'IPv4.fragment',
  'TCP.sport',
  'TCP.dport',
] as const;
type KeyName = (typeof keyNames)[number];

/** A conjunction: one match for each key that it has. */
type Cube = ReadonlyMap<KeyName, Match>;

/** Fewer are clearer as tests one after the other. */
const RULES_LEAST = 6;
const CUBES_MAX = 64;

export function filterTable(
  context: ElementContext,
  rules: readonly FilterRule[],
  miss: Instruction,
): Instruction | undefined {
  if (rules.length < RULES_LEAST) return undefined;
  const made: { readonly cube: Cube; readonly behaviour: number }[] = [];
  for (const [behaviour, { filter }] of rules.entries()) {
    const cubes = cubesOf(filter);
    if (cubes === undefined) return undefined;
    for (const cube of cubes) made.push({ cube, behaviour });
  }
  const { behaviours, indexes } = distinctBehaviours(rules.map(({ action }) => action));
  const keys = keyNames.filter((name) => made.some(({ cube }) => cube.has(name)));
  return {
    op: 'table',
    source: sourceOf(context),
    table: {
      name: `${context.box}:${context.element.name}`,
      keys: keys.map((name) => ({ of: read(field(name)), width: field(name).width, absent: 'unmatched' })),
      entries: {
        kind: 'rules',
        rules: made.map(
          ({ cube, behaviour }): Rule => ({
            match: keys.map((name) => cube.get(name)),
            behaviour: indexes[behaviour]!,
            source: rules[behaviour]!.source,
          }),
        ),
      },
      behaviours,
      miss,
    },
  };
}

/** The filter as a disjunction of cubes; undefined when it is not made for that. */
function cubesOf(filter: Filter): readonly Cube[] | undefined {
  switch (filter.kind) {
    case 'constant':
      return filter.value ? [new Map()] : [];
    case 'or': {
      const parts = filter.of.map(cubesOf);
      if (parts.includes(undefined)) return undefined;
      const all = parts.flatMap((part) => part!);
      return all.length > CUBES_MAX ? undefined : all;
    }
    case 'and':
      return filter.of.reduce<readonly Cube[] | undefined>((sofar, part) => meet(sofar, cubesOf(part)), [new Map()]);
    case 'not':
    case 'choose':
      return undefined;
    default:
      return testCubes(filter);
  }
}

function meet(a: readonly Cube[] | undefined, b: readonly Cube[] | undefined): readonly Cube[] | undefined {
  if (a === undefined || b === undefined || a.length * b.length > CUBES_MAX) return undefined;
  const found: Cube[] = [];
  for (const x of a) {
    for (const y of b) {
      const cube = new Map(x);
      for (const [name, match] of y) {
        const both = cube.has(name) ? intersection(cube.get(name)!, match) : match;
        if (both === undefined) return undefined;
        cube.set(name, both);
      }
      found.push(cube);
    }
  }
  return found;
}

/** Of sets of numbers. Two different masks for one address are left to the solver. */
function intersection(a: Match, b: Match): Match | undefined {
  if (a.kind === 'set' && b.kind === 'set') {
    const ranges = a.ranges.flatMap(([low, high]) =>
      b.ranges.flatMap(([from, to]) => {
        const [start, end] = [low > from ? low : from, high < to ? high : to];
        return start <= end ? [[start, end] as const] : [];
      }),
    );
    return { kind: 'set', ranges };
  }
  const same = a.kind === 'mask' && b.kind === 'mask' && a.value === b.value && a.mask === b.mask;
  return same ? a : undefined;
}

function testCubes(test: Test): readonly Cube[] | undefined {
  switch (test.kind) {
    case 'family':
      return test.family === 'ip' ? [new Map()] : undefined;
    case 'protocol': {
      const ranges = test.family === 'ip6' ? undefined : rangesOf(test.number, 255);
      return ranges === undefined ? undefined : [new Map([['IPv4.proto', ranges]])];
    }
    case 'address':
      if (test.width !== 32 || test.negated || (test.family !== undefined && test.family !== 'ip')) return undefined;
      return ends(test.direction, 'IPv4.src', 'IPv4.dst', { kind: 'mask', value: test.value, mask: test.mask });
    case 'ether':
      if (test.negated) return undefined;
      return ends(test.direction, 'Ether.src', 'Ether.dst', { kind: 'mask', value: test.value, mask: test.mask });
    case 'port': {
      const ranges = rangesOf(test.number, 65_535);
      // Relations over both ends are negations of IPFilter's: see `portCondition`.
      const simple = test.direction === 'src' || test.direction === 'dst' || test.number.op === '==';
      if (ranges === undefined || !simple) return undefined;
      const numbers = test.transport === undefined ? [protocols.tcp, protocols.udp] : [protocols[test.transport]];
      const first: Cube = new Map<KeyName, Match>([
        ['IPv4.proto', { kind: 'set', ranges: numbers.map((n) => [BigInt(n), BigInt(n)] as const) }],
        ['IPv4.fragment', { kind: 'set', ranges: [[0n, 0n]] }],
      ]);
      return meet([first], ends(test.direction, 'TCP.sport', 'TCP.dport', ranges));
    }
    default:
      return undefined;
  }
}

function ends(direction: string, src: KeyName, dst: KeyName, match: Match): readonly Cube[] {
  if (direction === 'src') return [new Map([[src, match]])];
  if (direction === 'dst') return [new Map([[dst, match]])];
  if (direction === 'src or dst') return [new Map([[src, match]]), new Map([[dst, match]])];
  return [
    new Map([
      [src, match],
      [dst, match],
    ]),
  ];
}

function rangesOf({ op, value, high, mask }: Comparison, most: number): Match | undefined {
  if (mask !== undefined) return undefined;
  const [low, top] = [BigInt(value), BigInt(high ?? value)];
  const end = BigInt(most);
  const below = (limit: bigint) => (limit < 0n ? [] : [[0n, limit] as const]);
  const above = (limit: bigint) => (limit > end ? [] : [[limit, end] as const]);
  const ranges = {
    '==': [[low, top] as const],
    '!=': [...below(low - 1n), ...above(top + 1n)],
    '<': below(low - 1n),
    '<=': below(low),
    '>': above(low + 1n),
    '>=': above(low),
  }[op];
  return { kind: 'set', ranges };
}
