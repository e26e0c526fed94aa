import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConcretePath, interpret, type Read } from '../engine/interpret.ts';
import { a, b, headers, layout, m, networks } from '../engine/random.ts';
import {
  block,
  compare,
  type Condition,
  constant,
  forward,
  type Location,
  masked,
  type Network,
  read,
} from '../index.ts';
import { checkFormula } from './check.ts';
import type { Formula } from './formula.ts';

/** A condition for the engine, and the same for numbers. */
interface Test {
  readonly condition: Condition;
  readonly holds: (port: string, at: Read) => boolean;
}

const tests: readonly Test[] = [
  ...([a, b, m] as readonly Location[]).flatMap((at) => [
    { condition: compare(read(at), '==', constant(2, 4)), holds: (_: string, value: Read) => value(at) === 2n },
    {
      condition: masked(read(at), 4n, 4n),
      holds: (_: string, value: Read) => ((value(at) ?? 0n) & 4n) !== 0n,
    },
  ]),
  ...['x:1', 'y:1', 'z:1'].map((port) => ({
    condition: { kind: 'at', ports: [port] } as const,
    holds: (at: string) => at === port,
  })),
];

const formulas: fc.Arbitrary<Formula> = fc.letrec<{ f: Formula }>((tie) => ({
  f: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...tests).map(({ condition }): Formula => ({ kind: 'condition', condition })),
    fc
      .constantFrom('delivered', 'dropped', 'failed')
      .map((outcome): Formula => ({ kind: 'ended', outcome: outcome as 'dropped' })),
    tie('f').map((of): Formula => ({ kind: 'not', of })),
    fc
      .tuple(fc.constantFrom('and', 'or'), tie('f'), tie('f'))
      .map(([kind, left, right]): Formula => ({ kind: kind as 'and', of: [left, right] })),
    fc
      .tuple(fc.boolean(), fc.boolean(), tie('f'))
      .map(([all, always, of]): Formula => ({ kind: 'path', all, always, of })),
  ),
})).f;

/** Explicit states: what holds in each, and which may be next; the last ones follow themselves. */
interface Graph {
  readonly holds: ((formula: Formula) => boolean)[];
  readonly next: number[][];
}

/** Model checking of one packet by fixpoints over its states (Clarke, Emerson and Sistla 1986). Gives where it holds. */
function label(graph: Graph, formula: Formula): boolean[] {
  const all = graph.next.map((_, i) => i);
  switch (formula.kind) {
    case 'constant':
      return all.map(() => formula.value);
    case 'condition':
    case 'ended':
      return graph.holds.map((holds) => holds(formula));
    case 'not':
      return label(graph, formula.of).map((truth) => !truth);
    case 'and':
    case 'or': {
      const parts = formula.of.map((part) => label(graph, part));
      return all.map((i) => (formula.kind === 'and' ? parts.every((part) => part[i]) : parts.some((part) => part[i])));
    }
    case 'path': {
      const of = label(graph, formula.of);
      let set = of.map((truth) => (formula.always ? truth : false));
      for (;;) {
        const before = set;
        const step = (i: number) =>
          formula.all ? graph.next[i]!.every((j) => before[j]) : graph.next[i]!.some((j) => before[j]);
        const next = all.map((i) => (formula.always ? of[i]! && step(i) : of[i]! || step(i)));
        if (next.every((truth, i) => truth === before[i])) return next;
        set = next;
      }
    }
  }
}

type Seen = readonly boolean[];

function graphOf(paths: readonly ConcretePath[]): Graph {
  const graph: Graph = { holds: [], next: [] };
  const add = (seen: Seen, ended?: string): number => {
    const at = graph.next.push([]) - 1;
    graph.holds.push((formula) =>
      formula.kind === 'ended'
        ? formula.outcome === ended
        : formula.kind === 'condition' && seen[tests.findIndex(({ condition }) => condition === formula.condition)]!,
    );
    return at;
  };
  /** Paths that are one packet until arrival `from`; gives the first state after that. */
  const build = (group: readonly ConcretePath[], from: number, depth: number): number[] => {
    const [first] = group as [ConcretePath];
    const split = first.splits[depth];
    const until = split?.hops ?? first.seen.length - 1;
    let next: number[] = [];
    if (split === undefined) {
      const end = add(first.seen.at(-1) as Seen, first.outcome);
      graph.next[end]!.push(end);
      next = [end];
    } else {
      for (const which of new Set(group.map(({ splits }) => splits[depth]!.branch))) {
        const branch_ = group.filter(({ splits }) => splits[depth]!.branch === which);
        next.push(...build(branch_, until, depth + 1));
      }
    }
    for (let i = until - 1; i >= from; i -= 1) {
      const at = add(first.seen[i] as Seen);
      graph.next[at]!.push(...next);
      next = [at];
    }
    return next;
  };
  const roots = build(paths, 0, 0);
  expect(roots).toHaveLength(1);
  graph.holds.push(() => false);
  graph.next.push(roots);
  return graph;
}

/** What the parts of a formula mean of all packets together. */
function holdsOfAll(formula: Formula, graphs: readonly Graph[]): boolean {
  switch (formula.kind) {
    case 'not':
      return !holdsOfAll(formula.of, graphs);
    case 'and':
      return formula.of.every((part) => holdsOfAll(part, graphs));
    case 'or':
      return formula.of.some((part) => holdsOfAll(part, graphs));
    default: {
      const inFirst = graphs.map((graph) => label(graph, formula)[graph.next.at(-1)![0]!]!);
      return formula.kind === 'path' && !formula.all ? inFirst.includes(true) : !inFirst.includes(false);
    }
  }
}

const open = fc.tuple(networks, networks).map(([network, other]): Network => {
  const { edges: _edges, ...rest } = network;
  const both = block(network.programs.get('y:1')!, other.programs.get('y:1')!, forward('y:1'));
  return { ...rest, programs: new Map(network.programs).set('x:1', both).set('y:1', other.programs.get('x:1')!) };
});

describe('a formula of NetCTL', () => {
  it('is what checking each packet says, on the way and after everything was explored', () => {
    const answers = { holds: 0, violated: 0 };
    fc.assert(
      fc.property(open, fc.array(formulas, { minLength: 8, maxLength: 8 }), (network, list) => {
        const graphs: Graph[] = [];
        for (let n = 0; n < 1024; n += 1) {
          const values = new Map(
            headers.map((at, i) => [at.name!, [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)][i]!]),
          );
          // Copies of copies are more than memory holds long before they have been everywhere.
          let looks = 0;
          const watch = (port: string, value: Read): Seen => {
            looks += 1;
            fc.pre(looks < 2_000);
            return tests.map(({ holds }) => holds(port, value));
          };
          const paths = interpret(network, 'x:1', layout.setup, {
            fresh: (name) => values.get(name)!,
            hops: 12,
            watch,
          });
          fc.pre(paths.length < 50 && paths.every(({ outcome }) => outcome !== 'loop'));
          graphs.push(graphOf(paths));
        }
        for (const formula of list) {
          const limits = { paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
          const start = { port: 'x:1', layouts: [layout] };
          const onTheWay = checkFormula(network, 'random', formula, [start], { limits });
          const afterwards = checkFormula(network, 'random', formula, [start], { limits, early: false });
          if (onTheWay.answer === 'unknown' || afterwards.answer === 'unknown') continue;
          const expected = holdsOfAll(formula, graphs) ? 'holds' : 'violated';
          expect(afterwards.answer).toBe(expected);
          expect(onTheWay.answer).toBe(expected);
          answers[expected] += 1;
        }
      }),
      { numRuns: 6 },
    );
    expect(Math.min(answers.holds, answers.violated)).toBeGreaterThan(2);
  }, 120_000);
});
