import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { evaluate } from '../solve/value.ts';
import { explore } from './explore.ts';
import { interpret } from './interpret.ts';
import type { Path } from './path.ts';
import type { State } from './state.ts';

/** A packet of ten bits: every one of the 1,024 is tried. */
const a: Field = { kind: 'field', tag: 'T', offset: 0, width: 4, name: 'a' };
const b: Field = { kind: 'field', tag: 'T', offset: 4, width: 4, name: 'b' };
const c: Field = { kind: 'field', tag: 'T', offset: 8, width: 2, name: 'c' };
const m = meta('m');
const headers = [a, b, c] as const;
const layout: Layout = {
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

const networks: fc.Arbitrary<Network> = fc
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

interface Ended {
  readonly path: Path;
  readonly state: State;
}

function symbolic(network: Network): readonly Ended[] {
  const found: Ended[] = [];
  const { bound } = explore(
    network,
    { port: 'x:1', layouts: [layout] },
    {
      detectLoops: false,
      limits: { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 },
      monitor: {
        ended(path, state) {
          found.push({ path, state });
          return 'continue';
        },
      },
    },
  );
  fc.pre(bound === undefined);
  return found;
}

const describeEnd = (
  outcome: string,
  hops: readonly { readonly port: string }[],
  counts: { readonly copies: number; readonly choices: number; readonly doubts: readonly string[] },
  values: readonly (bigint | undefined)[],
) =>
  `${outcome} ${hops.map(({ port }) => port).join('>')} ${counts.copies} ${counts.choices} ${counts.doubts.length} ${values.join(',')}`;

function endsOf(network: Network, packet: readonly bigint[]): string[] {
  const values = new Map(headers.map((at, i) => [at.name!, packet[i]!]));
  return interpret(network, 'x:1', layout.setup, { fresh: (name) => values.get(name)!, hops: 12 })
    .map((path) => {
      const outcome = path.outcome === 'loop' ? 'unfinished' : path.outcome;
      return describeEnd(
        outcome,
        path.hops,
        path,
        [a, b, c, m].map((at) => path.read(at)),
      );
    })
    .sort();
}

describe('symbolic execution', () => {
  it('does to every packet what the interpreter does to it, and to no other', () => {
    let packets = 0;
    fc.assert(
      fc.property(networks, (network) => {
        const ends = symbolic(network);
        for (let n = 0; n < 1024; n += 1) {
          const packet = [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)];
          // Symbols are numbered in the order in which the layout makes them.
          const symbols = (symbol: number) => packet[symbol - 1]!;
          const mine = ends
            .filter(({ state }) => state.condition.admits(symbols))
            .map(({ path, state }) => {
              const values = [a, b, c, m].map((at) => (state.has(at) ? evaluate(state.read(at), symbols) : undefined));
              return describeEnd(path.outcome, path.hops, path, values);
            })
            .sort();
          expect(mine).toEqual(endsOf(network, packet));
          packets += 1;
        }
      }),
      { numRuns: 60 },
    );
    expect(packets).toBeGreaterThan(20 * 1024);
  }, 60_000);

  it('gives a witness that takes the path, and exact ranges of a field', () => {
    fc.assert(
      fc.property(networks, (network) => {
        for (const { path } of symbolic(network).slice(0, 30)) {
          const witness = path.witness()!;
          const named = new Map(headers.map((at) => [at.name!, witness.sent.values.get(`bit ${at.offset}`)!]));
          const ends = interpret(network, 'x:1', layout.setup, { fresh: (name) => named.get(name)!, hops: 12 });
          const outcome = path.outcome === 'unfinished' ? 'loop' : path.outcome;
          const same = ends.filter(
            (end) => end.outcome === outcome && end.hops.length === path.hops.length && end.port === path.port,
          );
          expect(same.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('calls a path a loop only when tags are the same too', () => {
    const step: Instruction = block(
      branch({ kind: 'exists', at: { kind: 'field', tag: 'U', offset: 0, width: 4 } }, drop('seen'), {
        op: 'createTag',
        tag: 'U',
        relativeTo: 'T',
        offset: 0,
      }),
      forward('x:1'),
    );
    const { paths } = explore(box(step), { port: 'x:1', layouts: [layout] });
    expect(paths.map(({ outcome }) => outcome)).toEqual(['dropped']);
    const round = explore(box(forward('x:1')), { port: 'x:1', layouts: [layout] });
    expect(round.paths.map(({ outcome }) => outcome)).toEqual(['loop']);
  });

  it('tells nothing of packets that nobody asked about', () => {
    const other: Field = { kind: 'field', tag: 'nowhere', offset: 0, width: 4 };
    const assume = any(compare(read(a), '==', constant(3, 4)), compare(read(other), '==', constant(0, 4)));
    const { paths } = explore(box(forward('x:2')), { port: 'x:1', layouts: [layout], assume });
    expect(paths.map(({ outcome }) => outcome)).toEqual(['delivered']);
    expect(paths[0]!.ranges(a)).toEqual([[3n, 3n]]);
  });

  it('knows a value that is written back, or that can only be what it was, as unchanged', () => {
    const kept = [assign(a, constant(5, 4)), block(assign(m, read(a)), assign(a, constant(0, 4)), assign(a, read(m)))];
    const start = { port: 'x:1', layouts: [layout], assume: compare(read(a), '==', constant(5, 4)) };
    for (const each of kept) expect(explore(box(each), start).paths[0]!.changed([a, b])).toBeUndefined();
    const [path] = explore(box(assign(b, constant(5, 4))), start).paths;
    const { sent, arrived } = path!.changed([a, b])!.witness()!;
    expect(sent.values.get('bit 4')).not.toBe(arrived.values.get('bit 4'));
  });

  it('finds packets whose wide fields differ, without a solver', () => {
    const wide: readonly Field[] = [0, 1, 2].map((n) => ({ kind: 'field', tag: 'T', offset: 64 * n, width: 64 }));
    const [x, y, z] = wide.map(read) as [Expr, Expr, Expr];
    const wideLayout: Layout = {
      name: 'wide',
      setup: block(
        { op: 'createTag', tag: 'T', offset: 0 },
        ...wide.flatMap((at, n) => [{ op: 'allocate', at, width: 64 } as const, assign(at, fresh(`w${n}`, 64))]),
      ),
    };
    const small = wide.map((at) => within(read(at), [[7n, 9n]]));
    const differ = all(compare(x, '!=', y), compare(y, '!=', z), compare(z, '!=', x), ...small);
    const { paths } = explore(box(constrain(differ)), { port: 'x:1', layouts: [wideLayout] });
    const delivered = paths.find(({ outcome }) => outcome === 'delivered')!;
    expect(delivered.doubts).toEqual([]);
    expect(new Set(delivered.witness()!.arrived.values.values())).toEqual(new Set([7n, 8n, 9n]));
    const narrow = all(compare(x, '!=', y), ...wide.map((at) => within(read(at), [[7n, 7n]])));
    const none = explore(box(constrain(narrow)), { port: 'x:1', layouts: [wideLayout] });
    expect(none.paths.map(({ outcome }) => outcome)).toEqual(['dropped']);
  });

  it('decides twenty thousand alternatives at once, and stops at its bound of time', () => {
    const alternatives = (of: Expr, step: bigint) =>
      any(...Array.from({ length: 20_000 }, (_, i) => compare(of, '==', constant(BigInt(i) * step, 64))));
    const wide: Field = { kind: 'field', tag: 'T', offset: 0, width: 64 };
    const wideLayout: Layout = {
      name: 'wide',
      setup: block(
        { op: 'createTag', tag: 'T', offset: 0 },
        { op: 'allocate', at: wide, width: 64 },
        assign(wide, fresh('w', 64)),
      ),
    };
    const begin = performance.now();
    const { paths } = explore(
      box(constrain(alternatives(read(wide), 3n))),
      { port: 'x:1', layouts: [wideLayout] },
      { limits: { milliseconds: 20_000 } },
    );
    expect(paths.map(({ outcome }) => outcome).sort()).toEqual(['delivered', 'dropped']);
    expect(performance.now() - begin).toBeLessThan(10_000);
    // A product of all bits: no diagram of it is small, and none is waited for.
    const product: Expr = { kind: 'binary', op: 'mul', left: read(wide), right: read(wide) };
    const hard = explore(
      box(constrain(alternatives(product, 7n))),
      { port: 'x:1', layouts: [wideLayout] },
      { limits: { milliseconds: 300 } },
    );
    expect(hard.bound ?? hard.paths.flatMap(({ doubts }) => doubts)[0]).toBeDefined();
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  it('goes round links without a program no longer than its bound of time allows', () => {
    let now = 0;
    const network: Network = {
      ...box(nothing),
      programs: new Map(),
      links: new Map([
        ['x:1', ['y:1', 'z:1']],
        ['y:1', ['x:1']],
        ['z:1', ['x:1']],
      ]),
    };
    const { bound } = explore(
      network,
      { port: 'x:1', layouts: [layout] },
      { detectLoops: false, clock: () => (now += 10), limits: { milliseconds: 500 } },
    );
    expect(bound).toBe('milliseconds');
  });
});

/** One box; what goes on from it is delivered at `x:2`. */
function box(program: Instruction): Network {
  return {
    name: 'one box',
    boxes: new Map(),
    programs: new Map([['x:1', program]]),
    links: new Map(),
    edges: new Set(['x:1', 'x:2']),
    routines: new Map(),
  };
}
