import fc from 'fast-check';
import {
  all,
  any,
  assign,
  block,
  branch,
  compare,
  type Condition,
  constant,
  constrain,
  drop,
  type Expr,
  fail,
  type Field,
  forward,
  fresh,
  type Instruction,
  type Layout,
  type Location,
  masked,
  type Match,
  meta,
  negation,
  type Network,
  nothing,
  read,
  type Table,
  within,
} from '../index.ts';

/** A packet of ten bits: every one of the 1,024 is tried. */
export const a: Field = { kind: 'field', tag: 'T', offset: 0, width: 4, name: 'a' };
export const b: Field = { kind: 'field', tag: 'T', offset: 4, width: 4, name: 'b' };
export const c: Field = { kind: 'field', tag: 'T', offset: 8, width: 2, name: 'c' };
export const m = meta('m');
export const headers = [a, b, c] as const;
export const layout: Layout = {
  name: 'ten bits',
  setup: block(
    { op: 'createTag', tag: 'T', offset: 0 },
    ...headers.flatMap((at) => [
      { op: 'allocate', at, width: at.width } as const,
      assign(at, fresh(at.name!, at.width)),
    ]),
  ),
};

const four: fc.Arbitrary<Location> = fc.constantFrom<Location>(a, b, m);
const nibble = fc.integer({ min: 0, max: 15 });

const expr: fc.Arbitrary<Expr> = fc.letrec<{ e: Expr }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 2 },
    nibble.map((n) => constant(n, 4)),
    four.map(read),
    fc
      .tuple(fc.constantFrom('add', 'sub', 'and', 'or', 'xor', 'mul'), tie('e'), tie('e'))
      .map(([op, left, right]): Expr => ({ kind: 'binary', op: op as 'add', left, right })),
    tie('e').map((of): Expr => ({ kind: 'not', of })),
    fc
      .tuple(fc.constantFrom('left', 'right'), tie('e'), fc.nat(4))
      .map(([op, of, by]): Expr => ({ kind: 'shift', op: op as 'left', of, by })),
    fc.tuple(tie('e'), tie('e')).map(
      ([x, y]): Expr => ({
        kind: 'concat',
        parts: [
          { kind: 'slice', of: x, high: 1, low: 0 },
          { kind: 'slice', of: y, high: 3, low: 2 },
        ],
      }),
    ),
    fc.constant<Expr>({ kind: 'extend', of: read(c), width: 4 }),
  ),
})).e;

const condition: fc.Arbitrary<Condition> = fc.letrec<{ q: Condition }>((tie) => ({
  q: fc.oneof(
    { maxDepth: 2 },
    fc
      .tuple(expr, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), expr)
      .map(([left, op, right]) => compare(left, op as '==', right)),
    fc.tuple(expr, nibble, nibble).map(([of, x, y]) => within(of, [[BigInt(Math.min(x, y)), BigInt(Math.max(x, y))]])),
    fc.tuple(expr, nibble, nibble).map(([of, value, mask]) => masked(of, BigInt(value & mask), BigInt(mask))),
    four.map((at): Condition => ({ kind: 'exists', at })),
    fc.tuple(tie('q'), tie('q')).map(([x, y]) => all(x, y)),
    fc.tuple(tie('q'), tie('q')).map(([x, y]) => any(x, y)),
    tie('q').map(negation),
  ),
})).q;

const match: fc.Arbitrary<Match> = fc.oneof(
  fc
    .tuple(nibble, nibble)
    .map(([x, y]): Match => ({ kind: 'range', low: BigInt(Math.min(x, y)), high: BigInt(Math.max(x, y)) })),
  fc.tuple(nibble, fc.nat(4)).map(([value, length]): Match => ({ kind: 'prefix', value: BigInt(value), length })),
  fc
    .tuple(nibble, nibble)
    .map(([value, mask]): Match => ({ kind: 'mask', value: BigInt(value & mask), mask: BigInt(mask) })),
  fc.tuple(nibble, nibble).map(
    ([x, y]): Match => ({
      kind: 'other',
      of: { kind: 'range', low: BigInt(Math.min(x, y)), high: BigInt(Math.max(x, y)) },
    }),
  ),
);

function tables(body: fc.Arbitrary<Instruction>): fc.Arbitrary<Table> {
  const behaviours = fc.array(body, { minLength: 1, maxLength: 3 });
  const entry = fc.tuple(nibble, fc.nat(4), fc.nat(2));
  const key = expr.map((of) => ({ of, width: 4, absent: 'fail' as const }));
  return fc.oneof(
    fc.tuple(behaviours, body, key, fc.array(entry, { maxLength: 6 })).map(
      ([does, miss, of, list]): Table => ({
        name: 'prefixes',
        keys: [of],
        behaviours: does,
        miss,
        entries: {
          kind: 'prefixes',
          addresses: Uint32Array.from(list, ([value, length]) => (value >> (4 - length)) << (4 - length)),
          lengths: Uint8Array.from(list, ([, length]) => length),
          behaviour: Uint32Array.from(list, ([, , which]) => which % does.length),
        },
      }),
    ),
    fc.tuple(behaviours, body, key, fc.array(entry, { maxLength: 6 })).map(
      ([does, miss, of, list]): Table => ({
        name: 'exact',
        keys: [of],
        behaviours: does,
        miss,
        entries: {
          kind: 'exact',
          values: Float64Array.from(list, ([value]) => value),
          behaviour: Uint32Array.from(list, ([, , which]) => which % does.length),
        },
      }),
    ),
    fc
      .tuple(
        behaviours,
        body,
        fc.array(four, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.array(fc.option(match, { nil: undefined }), { minLength: 3, maxLength: 3 }), fc.nat(2)), {
          maxLength: 5,
        }),
      )
      .map(
        ([does, miss, keys, rules]): Table => ({
          name: 'rules',
          keys: keys.map((from) => ({ of: read(from), width: 4, absent: 'unmatched' })),
          behaviours: does,
          miss,
          entries: {
            kind: 'rules',
            rules: rules.map(([matches, which]) => ({
              match: matches.slice(0, keys.length),
              behaviour: which % does.length,
            })),
          },
        }),
      ),
  );
}

const ports = ['x:1', 'x:2', 'y:1', 'y:2', 'z:1'];

const instruction: fc.Arbitrary<Instruction> = fc.letrec<{ i: Instruction }>((tie) => ({
  i: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(four, expr).map(([to, value]) => assign(to, value)),
    condition.map((q) => constrain(q)),
    fc.constantFrom(...ports).map((to) => forward(to)),
    fc.constant(drop('dropped')),
    fc.constant(fail('failed')),
    fc.constant(nothing),
    fc.constantFrom<Instruction>(
      { op: 'allocate', at: a, width: 4 },
      { op: 'deallocate', at: a, width: 4 },
      { op: 'deallocate', at: m },
      { op: 'save', name: 's' },
      { op: 'load', name: 's' },
      { op: 'doubt', what: 'who knows' },
      { op: 'doubt', what: 'one or the other', covered: true },
      { op: 'createTag', tag: 'U', relativeTo: 'T', offset: 4 },
      { op: 'destroyTag', tag: 'U' },
      { op: 'call', routine: 'r' },
      { op: 'for', pattern: 'm*', body: assign(meta('m{}'), constant(3, 4)) },
    ),
    fc.array(tie('i'), { maxLength: 4 }).map((body): Instruction => ({ op: 'block', body })),
    fc.tuple(condition, tie('i'), tie('i')).map(([q, yes, no]) => branch(q, yes, no)),
    fc.tuple(tie('i'), tie('i')).map((branches): Instruction => ({ op: 'fork', branches })),
    fc.tuple(tie('i'), tie('i')).map((branches): Instruction => ({ op: 'choose', branches })),
    tables(tie('i')).map((table): Instruction => ({ op: 'table', table })),
    tables(tie('i')).map((table): Instruction => ({ op: 'for', pattern: 'm*', body: { op: 'table', table } })),
  ),
})).i;

export const networks: fc.Arbitrary<Network> = fc
  .record({
    programs: fc.array(instruction, { minLength: 3, maxLength: 3 }),
    routine: condition.map((q) => branch(q, assign(m, constant(1, 4)), nothing)),
    toward: fc.subarray(['y:1', 'z:1']),
  })
  .map(({ programs, routine, toward }) => ({
    name: 'random',
    boxes: new Map(),
    programs: new Map([
      ['x:1', block(programs[0]!, assign(b, constant(2, 4)), programs[1]!)],
      ['y:1', programs[2]!],
    ]),
    links: new Map([['x:2', toward]]),
    edges: new Set(['x:2', 'y:2', 'z:1']),
    routines: new Map([['r', routine]]),
  }));
