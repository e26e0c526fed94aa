import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headers, layout as tenBits, networks } from '../engine/random.ts';
import {
  assign,
  block,
  branch,
  compare,
  constant,
  drop,
  explore,
  field,
  type Instruction,
  interpret,
  type Layout,
  layouts,
  type Network,
  read,
  within,
} from '../index.ts';
import { blackHoles, invariants, isolation, loops, reach, waypoints } from './questions.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp') as readonly Layout[];
const dst = field('IPv4.dst');
const ttl = field('IPv4.ttl');
const to = (low: bigint, high: bigint) => within(read(dst), [[low, high]]);
const lessTtl: Instruction = block(
  branch(compare(read(ttl), '>', constant(0, 8)), { op: 'block', body: [] }, drop('time to live exceeded')),
  assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
);

/** Two routers and a firewall: r1 has a default route to r2, r2 has one back to r1, which is right for 10/8 only. */
const network: Network = {
  name: 'triangle',
  boxes: new Map(['r1', 'r2', 'fw', 'lan'].map((name) => [name, { name, kind: 'router' }])),
  programs: new Map<string, Instruction>([
    [
      'r1:in',
      block(
        lessTtl,
        branch(to(0x0a00_0000n, 0x0aff_ffffn), { op: 'forward', to: 'r1:lan' }, { op: 'forward', to: 'r1:up' }),
      ),
    ],
    [
      'r2:in',
      block(
        lessTtl,
        branch(to(0xc0a8_0000n, 0xc0a8_ffffn), { op: 'forward', to: 'r2:hole' }, { op: 'forward', to: 'r2:back' }),
      ),
    ],
    [
      'fw:in',
      block(
        branch(
          compare(read(field('TCP.dport')), '==', constant(22, 16)),
          drop('no shell from outside', { file: 'fw', line: 3 }),
          { op: 'forward', to: 'fw:out' },
        ),
      ),
    ],
  ]),
  links: new Map([
    ['r1:up', ['r2:in']],
    ['r2:back', ['r1:in']],
    ['r1:lan', ['fw:in']],
    ['fw:out', ['lan:host']],
  ]),
  edges: new Set(['lan:host']),
  routines: new Map(),
};
const start = { port: 'r1:in', layouts: tcp };

describe('questions about a network', () => {
  it('who reaches whom, with a packet that does', () => {
    const verdict = reach(network, start, 'lan');
    expect(verdict.answer).toBe('holds');
    const { sent, arrived } = verdict.paths[0]!.witness()!;
    expect(sent.values.get('IPv4.dst')! >> 24n).toBe(10n);
    expect(sent.values.get('IPv4.ttl')! - arrived.values.get('IPv4.ttl')!).toBe(1n);
    expect(reach(network, { ...start, assume: to(0n, 5n) }, 'lan').answer).toBe('violated');
  });

  it('what is kept apart, and by which rule', () => {
    const shell = compare(read(field('TCP.dport')), '==', constant(22, 16));
    expect(isolation(network, [{ ...start, assume: shell }], 'lan').answer).toBe('holds');
    expect(isolation(network, [start], 'lan')).toMatchObject({ answer: 'violated' });
  });

  it('loops, although the time to live goes down, and black holes', () => {
    const verdict = loops(network, [start]);
    expect(verdict.answer).toBe('violated');
    expect(verdict.paths[0]!.hops.map(({ port }) => port)).toEqual(['r1:in', 'r1:up', 'r2:in', 'r2:back', 'r1:in']);
    expect(blackHoles(network, [start]).paths[0]!.port).toBe('r2:hole');
    const inside = { ...start, assume: to(0x0a00_0000n, 0x0aff_ffffn) };
    expect([loops(network, [inside]).answer, blackHoles(network, [inside]).answer]).toEqual(['holds', 'holds']);
  });

  it('what stays as it was, and what is on the way', () => {
    expect(invariants(network, [start], [dst]).answer).toBe('holds');
    expect(invariants(network, [start], [ttl]).answer).toBe('violated');
    expect(waypoints(network, [start], 'lan', ['r1', 'fw']).answer).toBe('holds');
    expect(waypoints(network, [start], 'lan', ['fw', 'r1']).answer).toBe('violated');
  });

  it('are not answered when a bound was hit, or when the answer rests on what was not understood', () => {
    expect(isolation(network, [start], 'lan', { limits: { instructions: 3 } })).toMatchObject({
      answer: 'unknown',
      bound: 'instructions',
    });
    const doubtful = { ...start, setup: { op: 'doubt', what: 'fw:9 -m mystery' } as const };
    expect(isolation(network, [doubtful], 'lan')).toMatchObject({ answer: 'unknown', dependsOn: ['fw:9 -m mystery'] });
  });

  it('name the nearest port when there is none of that name', () => {
    expect(() => reach(network, start, 'lam')).toThrow(/did you mean 'lan'/);
  });

  it('say of waypoints what following single packets says', () => {
    const seen = { holds: 0, violated: 0, unknown: 0 };
    const [to, through] = ['y:1', ['x:1', 'x:2']];
    /** On some way the packet gets there, and has not been at x:2 before; all begin at x:1. */
    const goesAround = (of: Network, packet: ReadonlyMap<string, bigint>) =>
      interpret(of, 'x:1', tenBits.setup, { fresh: (name) => packet.get(name)!, hops: 12 }).some(({ hops }) => {
        const ports = hops.map(({ port }) => port);
        const arrival = ports.indexOf(to);
        return arrival > 0 && !ports.slice(0, arrival).includes('x:2');
      });
    fc.assert(
      fc.property(networks, (of) => {
        const limits = { hops: 12, paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
        // Loops that copy are no work for the interpreter.
        const sending = { port: 'x:1', layouts: [tenBits] };
        fc.pre(explore(of, sending, { limits, detectLoops: false }).bound === undefined);
        const { answer, paths } = waypoints(of, [{ port: 'x:1', layouts: [tenBits] }], to, through, { limits });
        seen[answer] += 1;
        for (const path of answer === 'violated' ? paths : []) {
          const { sent } = path.witness()!;
          const packet = new Map(headers.map((at) => [at.name!, sent.values.get(`bit ${at.offset}`)!]));
          expect(goesAround(of, packet)).toBe(true);
        }
        for (let n = 0; answer === 'holds' && n < 1024; n += 29) {
          const [a, b, c] = [BigInt(n >> 6), BigInt((n >> 2) & 15), BigInt(n & 3)];
          expect(goesAround(of, new Map(Object.entries({ a, b, c })))).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
    // One network in twenty has such a way: a run may see none.
    expect(seen.holds + seen.violated).toBeGreaterThan(seen.unknown);
  });
});
