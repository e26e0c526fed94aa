import { describe, expect, it } from 'vitest';
import {
  assign,
  block,
  branch,
  compare,
  constant,
  drop,
  field,
  type Instruction,
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
    expect(waypoints(network, start, 'lan', ['r1', 'fw']).answer).toBe('holds');
    expect(waypoints(network, start, 'lan', ['fw', 'r1']).answer).toBe('violated');
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
});
