import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../engine/interpret.ts';
import { headers, layout, networks } from '../engine/random.ts';
import {
  assign,
  block,
  branch,
  compare,
  constant,
  constrain,
  drop,
  type Expr,
  field,
  forward,
  fresh,
  type Instruction,
  layouts,
  type Network,
  read,
} from '../index.ts';
import { equivalence } from './equivalence.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const ttl = field('IPv4.ttl');
const number = (value: number) => constant(value, 8);
const minus = (left: Expr, right: Expr): Expr => ({ kind: 'binary', op: 'sub', left, right });

function box(program: Instruction, name = 'one box'): Network {
  return {
    name,
    boxes: new Map(),
    programs: new Map([['x:in', block(program, forward('x:out'))]]),
    links: new Map(),
    routines: new Map(),
  };
}

const diff = (a: Instruction, b: Instruction, ports?: ReadonlyMap<string, string>) =>
  equivalence(box(a, 'A'), box(b, 'B'), [{ port: 'x:in', layouts: tcp }], ports === undefined ? {} : { ports });

/** What comes out for a packet in brute force: ports and the ten bits, of all copies, or all that may be chosen. */
function outputs(network: Network, packet: readonly bigint[]): readonly string[] {
  const all = outcomes(network, packet);
  return has(network, 'choose') ? [...new Set(all)] : all.filter((one) => one !== 'nothing');
}

function outcomes(network: Network, packet: readonly bigint[]): readonly string[] {
  const values = new Map(headers.map((at, i) => [at.name!, packet[i]!]));
  return interpret(network, 'x:1', layout.setup, { fresh: (name) => values.get(name)!, hops: 12 })
    .map((path) =>
      path.outcome === 'delivered' ? `${path.port} ${headers.map((at) => path.read(at)).join(',')}` : 'nothing',
    )
    .sort();
}

const count = (instruction: unknown, op: string) => JSON.stringify(instruction, text).split(`"op":"${op}"`).length - 1;
const text = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const has = (network: Network, op: string) => [...network.programs.values()].some((each) => count(each, op) > 0);

/** Two networks that begin alike and go on differently; packets are delivered wherever they stay. */
const mutated = fc.tuple(networks, networks, networks).map(([network, one, other]): [Network, Network] => {
  const { edges: _edges, ...open } = network;
  const goingOn = ({ programs }: Network): Network => {
    const both = block(network.programs.get('y:1')!, programs.get('y:1')!);
    return { ...open, programs: new Map(network.programs).set('x:1', both) };
  };
  return [goingOn(one), goingOn(other)];
});

describe('equivalence', () => {
  it('of networks is what comes out for each of all packets', () => {
    let [equal, different] = [0, 0];
    fc.assert(
      fc.property(mutated, ([a, b]) => {
        // Brute force lists what may happen, and does not say what happens together.
        fc.pre([a, b].every((network) => !has(network, 'fork')) || [a, b].every((network) => !has(network, 'choose')));
        fc.pre(has(a, 'choose') === has(b, 'choose'));
        // To the interpreter, what was allocated and never written is as if it was not there.
        fc.pre(![a, b].some((network) => has(network, 'allocate')));
        const start = { port: 'x:1', layouts: [layout] };
        const limits = { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
        const verdict = equivalence(a, b, [start], { limits });
        fc.pre(verdict.answer !== 'unknown');
        let firstDifference: number | undefined;
        for (let n = 0; n < 1024 && firstDifference === undefined; n += 1) {
          const packet = [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)];
          if (outputs(a, packet).join() !== outputs(b, packet).join()) firstDifference = n;
        }
        expect(verdict.answer).toBe(firstDifference === undefined ? 'holds' : 'violated');
        if (firstDifference === undefined) equal += 1;
        else different += 1;
        for (const { inA, inB } of verdict.differences.slice(0, 5)) {
          const { sent } = [...inA, ...inB][0]!.witness()!;
          const packet = headers.map((at) => sent.values.get(`bit ${at.offset}`)!);
          expect(outputs(a, packet)).not.toEqual(outputs(b, packet));
        }
      }),
      { numRuns: 20 },
    );
    expect(Math.min(equal, different)).toBeGreaterThan(0);
  }, 60_000);

  describe('of the time to live needs three checks, as the authors of EQ show', () => {
    it('what comes out: a packet that is decremented, and one that is not', () => {
      expect(diff(assign(ttl, minus(read(ttl), number(1))), assign(ttl, number(0))).answer).toBe('violated');
    });

    it('for what goes in: zero for all, and zero for those above zero', () => {
      const { answer, differences } = diff(
        block(constrain(compare(read(ttl), '>', number(0)), 'expired'), assign(ttl, number(0))),
        assign(ttl, number(0)),
      );
      expect(answer).toBe('violated');
      expect(differences.map(({ kind }) => kind)).toEqual(['arity']);
      expect(differences[0]!.inB[0]!.witness()!.sent.values.get('IPv4.ttl')).toBe(0n);
    });

    it('and as a function: the same values come out of the same packets, but not of each', () => {
      const { answer, differences } = diff(assign(ttl, read(ttl)), assign(ttl, minus(number(255), read(ttl))));
      expect(answer).toBe('violated');
      expect(differences[0]!.because).toBe('It leaves both at x:out, with another value of IPv4.ttl.');
      const [inA, inB] = [differences[0]!.inA[0]!.witness()!, differences[0]!.inB[0]!.witness()!];
      expect(inA.sent).toEqual(inB.sent);
      expect(inA.arrived.values.get('IPv4.ttl')).not.toBe(inB.arrived.values.get('IPv4.ttl'));
    });

    it('and holds for what is written in another way', () => {
      const twice = block(assign(ttl, minus(read(ttl), number(1))), assign(ttl, minus(read(ttl), number(1))));
      expect(diff(twice, assign(ttl, minus(read(ttl), number(2)))).answer).toBe('holds');
    });
  });

  it('follows ports that are named otherwise', () => {
    const [toLeft, toRight] = [forward('x:left'), forward('x:right')];
    expect(diff(toLeft, toRight).differences.map(({ kind }) => kind)).toEqual(['port']);
    expect(diff(toLeft, toRight, new Map([['x:left', 'x:right']])).answer).toBe('holds');
  });

  it('counts copies, in any order', () => {
    const copies = (...to: readonly string[]): Instruction => ({
      op: 'fork',
      branches: to.map((each) => forward(each)),
    });
    expect(diff(copies('x:a', 'x:b'), copies('x:b', 'x:a')).answer).toBe('holds');
    expect(diff(copies('x:a', 'x:a'), copies('x:a')).differences.map(({ kind }) => kind)).toEqual(['arity']);
  });

  it('compares what may be chosen, and not how often', () => {
    const chosen = (...to: readonly string[]): Instruction => ({
      op: 'choose',
      branches: to.map((each) => forward(each)),
    });
    expect(diff(chosen('x:a', 'x:b'), chosen('x:b', 'x:a', 'x:b')).answer).toBe('holds');
    expect(diff(chosen('x:a', 'x:b'), chosen('x:a')).differences.map(({ kind }) => kind)).toEqual(['choice']);
    const both: Instruction = { op: 'fork', branches: [forward('x:a'), forward('x:b')] };
    expect(diff(chosen('x:a', 'x:b'), both).differences.map(({ kind }) => kind)).toEqual(['choice']);
    const inside: Instruction = { op: 'fork', branches: [chosen('x:a', 'x:b'), forward('x:c')] };
    const outside: Instruction = {
      op: 'choose',
      branches: [
        { op: 'fork', branches: [forward('x:c'), forward('x:b')] },
        { op: 'fork', branches: [forward('x:a'), forward('x:c')] },
      ],
    };
    expect(diff(inside, outside).answer).toBe('holds');
  });

  it('takes new values for the same when each can be what the other can be', () => {
    const port = (low: bigint, high: bigint): Instruction =>
      assign(field('TCP.sport'), { ...fresh('port', 16), ranges: [[low, high]] } as Expr);
    expect(diff(port(1_024n, 65_535n), port(1_024n, 65_535n)).answer).toBe('holds');
    expect(diff(port(1_024n, 65_535n), port(1_025n, 65_535n)).answer).toBe('violated');
    expect(diff(port(1_024n, 65_535n), assign(field('TCP.sport'), constant(1_024, 16))).answer).toBe('violated');
    const twoNew = block(port(5n, 9n), assign(field('TCP.dport'), read(field('TCP.sport'))));
    const free = assign(field('TCP.dport'), { ...fresh('port', 16), ranges: [[5n, 9n]] } as Expr);
    expect(diff(twoNew, block(port(5n, 9n), free)).answer).toBe('violated');
  });

  describe('of new values', () => {
    const port = (high = 9n): Instruction => assign(field('TCP.sport'), fresh('port', 16, [[0n, high]]));
    const [toA, toB] = [forward('x:a'), forward('x:b')];
    const fork = (...branches: readonly Instruction[]): Instruction => ({ op: 'fork', branches });

    it('knows those that copies share', () => {
      const shared = block(port(), fork(toA, toB));
      const own = fork(block(port(), toA), block(port(), toB));
      expect(diff(shared, shared).answer).toBe('holds');
      expect(diff(own, own).answer).toBe('holds');
      expect(diff(shared, own).differences.map(({ kind }) => kind)).toEqual(['value']);
    });

    it('knows what happens to copies together', () => {
      const small = constrain(compare(read(field('TCP.sport')), '<', constant(5, 16)));
      const together = block(port(), fork(block(small, toA), toB));
      const apart = fork(block(port(), small, toA), block(port(), toB));
      expect(diff(together, together).answer).toBe('holds');
      expect(diff(apart, apart).answer).toBe('holds');
      expect(diff(together, apart).answer).toBe('violated');
    });

    it('knows that one choice makes them and another does not', () => {
      const either: Instruction = { op: 'choose', branches: [block(port(), toA), toB] };
      const other: Instruction = { op: 'choose', branches: [toB, block(port(), toA)] };
      expect(diff(either, other).answer).toBe('holds');
      for (const [one, two] of [
        [either, block(port(), toA)],
        [either, toB],
        [toB, either],
      ] as const) {
        expect(diff(one, two).differences.map(({ kind }) => kind)).toEqual(['choice']);
      }
    });

    it('compares paths that are taken where they equal what was sent', () => {
      const plus = (of: Expr, more: number): Expr => ({
        kind: 'binary',
        op: 'add',
        left: of,
        right: constant(more, 16),
      });
      const same = (more: number, to: Instruction) =>
        block(port(), constrain(compare(plus(read(field('TCP.sport')), more), '==', read(field('TCP.dport')))), to);
      expect(diff(same(3, toA), same(3, toA)).answer).toBe('holds');
      expect(diff(same(3, toA), same(3, drop('denied'))).answer).toBe('violated');
      expect(diff(same(3, toA), same(2, toA)).answer).toBe('violated');
    });

    it('is unknown where a path depends on them by more than equality and ranges, and where a loop copies', () => {
      const wide = assign(field('TCP.ack'), {
        kind: 'binary',
        op: 'mul',
        left: read(field('TCP.seq')),
        right: fresh('n', 32),
      });
      const odd = block(wide, branch(compare(read(field('TCP.ack')), '<', read(field('TCP.seq'))), toA, toB));
      expect(diff(odd, odd)).toMatchObject({
        answer: 'unknown',
        dependsOn: expect.arrayContaining([expect.stringMatching(/for which packets .* makes the new values/)]),
      });
      const round = fork(forward('x:in'), toA);
      expect(diff(round, round)).toMatchObject({
        answer: 'unknown',
        dependsOn: ['how many packets come out of a loop that copies them'],
      });
    });
  });

  it('says on what it depends', () => {
    const doubt: Instruction = { op: 'doubt', what: 'a rule nobody knows' };
    expect(diff(doubt, block())).toMatchObject({ answer: 'unknown', dependsOn: ['a rule nobody knows'] });
    const other = branch(compare(read(ttl), '==', number(1)), drop('expired'), doubt);
    expect(diff(other, doubt).answer).toBe('unknown');
  });

  it('refuses a port that the other network does not have', () => {
    const renamed: Network = { ...box(block()), programs: new Map([['y:in', forward('y:out')]]) };
    expect(() => equivalence(box(block()), renamed, [{ port: 'x:in', layouts: tcp }])).toThrow(/--map/);
  });
});
