import { readFileSync } from 'node:fs';
import { readNative } from '@superfluidity/dialects';
import { unitsOf } from '@superfluidity/model';
import { interpret, layouts } from '@superfluidity/verify';
import { expect, test } from 'vitest';
import { intendedNetwork, waysOf } from './index.ts';
import { planeOf } from './plane.ts';
import { shownPath } from './report.ts';

const text = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');
const service = readNative(text).service!;
const placed = unitsOf(service).map(({ path }) => ({
  path,
  index: 0,
  site: path.startsWith('video') ? 'core' : 'edge',
  host: 'h1',
}));
const intended = planeOf({ name: service.block.name, service, placed, links: [['edge', 'core']] });
const ask = (from: string, to?: string, packet?: string) =>
  waysOf({
    service,
    intended,
    question: { from, ...(to === undefined ? {} : { to }), ...(packet === undefined ? {} : { packet }) },
  });

test('what a user sends to the video server goes there by the chain, and its answer comes back', () => {
  const { ways, found, bound } = ask('ue', 'video', 'tcp dst port 8080');
  expect(bound).toBeUndefined();
  expect(found).toBe(1);
  const [way] = ways;
  expect(way).toMatchObject({ from: 'ue/ue#0', arrivesAt: 'video/video#0', answered: true, outcome: 'delivered' });
  expect(way!.packet!.sent).toMatchObject({ 'TCP.dport': '8080' });
  const rules = way!.hops.flatMap(({ because }) => because.map((rule) => rule.text ?? ''));
  expect(rules.join('\n')).toContain('tcp dport 8080');
  // Another program, which shares no code with the engine, sends that packet the same way.
  const sent = shownPath(way!).witness()!.sent;
  const { network } = intendedNetwork(intended);
  const layout = layouts.find(({ name }) => name === sent.layout)!;
  const [end] = interpret(network, way!.hops[0]!.port, layout.setup, { fresh: (name) => sent.values.get(name) ?? 0n });
  const there = end!.hops.map(({ port }) => port);
  expect(way!.hops.map(({ port }) => port).slice(0, there.length)).toEqual(there);
});

test('what the firewall does not let through ends there, by the rule that says so', () => {
  const { ways } = ask('ue', 'video', 'tcp dst port 22');
  expect(ways.length).toBeGreaterThan(0);
  for (const way of ways)
    expect(way).toMatchObject({ answered: false, outcome: expect.not.stringMatching('delivered') });
  expect(ways.every(({ arrivesAt }) => arrivesAt === undefined)).toBe(true);
});

test('without a place to go to, all that a unit reaches is told, what arrives first', () => {
  const { ways, found } = ask('ue');
  expect(found).toBeGreaterThanOrEqual(ways.length);
  expect(ways[0]).toMatchObject({ answered: true });
  const ranks = ways.map(({ arrivesAt, answered }) => (answered ? 0 : arrivesAt === undefined ? 2 : 1));
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
});

test('a filter that cannot be read is refused', () => {
  expect(() => ask('ue', 'video', 'tcp dst port')).toThrow(expect.objectContaining({ code: 'SF-VERIFY-QUESTION' }));
});
