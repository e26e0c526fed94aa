import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  all,
  any,
  assign,
  block,
  branch,
  compare,
  constant,
  constrain,
  drop,
  type Expr,
  type Field,
  forward,
  fresh,
  type Instruction,
  type Layout,
  type Network,
  nothing,
  read,
  within,
} from '../index.ts';
import { evaluate } from '../solve/value.ts';
import { explore, TOO_FAR } from './explore.ts';
import { interpret } from './interpret.ts';
import type { Path } from './path.ts';
import { a, b, c, headers, layout, m, networks } from './random.ts';
import type { State } from './state.ts';

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

describe('interpretation', () => {
  it('ends when a loop copies without end', () => {
    const twice: Instruction = { op: 'fork', branches: [forward('x:1'), forward('x:1')] };
    const ends = interpret(box(twice), 'x:1', layout.setup);
    expect(ends.length).toBeLessThan(50_000);
    expect(ends.map(({ outcome }) => outcome)).toContain('unfinished');
  });
});

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
      { numRuns: 12 },
    );
    expect(packets).toBeGreaterThan(8 * 1024);
  }, 60_000);

  it('gives a witness that takes the path, and exact ranges of a field', () => {
    fc.assert(
      fc.property(networks, (network) => {
        for (const { path } of symbolic(network).slice(0, 30)) {
          const witness = path.witness()!;
          const named = new Map(headers.map((at) => [at.name!, witness.sent.values.get(`bit ${at.offset}`)!]));
          const ends = interpret(network, 'x:1', layout.setup, { fresh: (name) => named.get(name)!, hops: 12 });
          // The interpreter calls it a loop when a packet comes to too many ports.
          const outcome = path.why === TOO_FAR ? 'loop' : path.outcome;
          const same = ends.filter(
            (end) => end.outcome === outcome && end.hops.length === path.hops.length && end.port === path.port,
          );
          expect(same.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('gives the ranges of a value that is computed of a symbol of which nothing is known', () => {
    const half: Expr = { kind: 'shift', op: 'right', of: read(a), by: 1 };
    const { paths } = explore(box(assign(b, half)), { port: 'x:1', layouts: [layout] });
    expect(paths[0]!.ranges(b)).toEqual([[0n, 7n]]);
  });

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
