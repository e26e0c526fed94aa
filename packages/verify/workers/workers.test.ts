import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layout, networks } from '../engine/random.ts';
import {
  askEverywhere,
  checkFormula,
  checkPolicies,
  compareEverywhere,
  differencesText,
  equivalence,
  type EquivalenceVerdict,
  parsePolicies,
  type ShownPath,
  assemble,
  blackHoles,
  type EveryStartQuestion,
  field,
  invariants,
  isolation,
  layouts,
  loops,
  type Network,
  type Start,
  type Verdict,
  verdictText,
} from '../index.ts';
import { ask } from './question.ts';
import { together } from './together.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');

/** Two routers whose default routes point at each other, and one that has no part in it. */
const { network, entries } = assemble('pair', [
  { path: 'a.rt', text: '10.0.0.0/8 192.0.2.1 eth1\n0.0.0.0/0 192.0.2.9 eth0\n' },
  { path: 'b.rt', text: '0.0.0.0/0 192.0.2.2 eth0\n10.0.0.0/8 192.0.2.2 eth1\n' },
  { path: 'c.rt', text: '10.0.0.0/8 192.0.2.2 eth0\n' },
  { path: 'links.links', text: 'a:eth0 -> b:x\nb:eth0 -> a:y\nc:eth0 -> a:z\n' },
]);
const starts = entries.map((port): Start => ({ port, layouts: tcp })) as [Start, ...Start[]];

const questions: readonly (readonly [EveryStartQuestion, (of: Network, from: readonly Start[]) => Verdict])[] = [
  [{ ask: 'loops' }, (of, from) => loops(of, from)],
  [{ ask: 'blackholes' }, (of, from) => blackHoles(of, from)],
  [{ ask: 'isolation', to: 'b:eth1' }, (of, from) => isolation(of, from, 'b:eth1')],
  [{ ask: 'isolation', to: 'c' }, (of, from) => isolation(of, from, 'c')],
  [
    { ask: 'invariants', kept: [field('IPv4.src'), field('IPv4.ttl')] },
    (of, from) => invariants(of, from, [field('IPv4.src'), field('IPv4.ttl')]),
  ],
];

describe('one question from many starts', () => {
  it.each(questions)('is answered by threads as by one: $ask', async (question, alone) => {
    const expected = alone(network, starts);
    for (const options of [{ threads: 1 }, { threads: 3, patienceMs: 0 }]) {
      const verdict = await askEverywhere(network, starts, question, options);
      expect([verdict.answer, verdict.because]).toEqual([expected.answer, expected.because]);
      expect(verdict.paths.map(({ hops }) => hops.length)).toEqual(expected.paths.map(({ hops }) => hops.length));
      expect(verdictText(verdict).includes('packet ipv4/tcp')).toBe(expected.paths.length > 0);
    }
  });

  it('keeps to its time', async () => {
    const many = Array.from({ length: 100 }, () => starts[0]) as [Start, ...Start[]];
    for (const options of [{ threads: 1 }, { threads: 2, patienceMs: 0 }]) {
      const verdict = await askEverywhere(
        network,
        many,
        { ask: 'isolation', to: 'c' },
        { ...options, limits: { milliseconds: 1 } },
      );
      expect([verdict.answer, verdict.bound]).toEqual(['unknown', 'milliseconds']);
    }
  });

  it('is refused with the same code', async () => {
    const wrong = askEverywhere(network, starts, { ask: 'isolation', to: 'bb' }, { threads: 2, patienceMs: 0 });
    await expect(wrong).rejects.toMatchObject({ code: 'SF-VERIFY-PORT', message: expect.stringContaining("mean 'b'") });
  });

  it('has the answer that asking all starts at once has', () => {
    fc.assert(
      fc.property(
        networks,
        fc.constantFrom<EveryStartQuestion>({ ask: 'loops' }, { ask: 'blackholes' }),
        (of, question) => {
          const limits = { paths: 150, milliseconds: 2_000, diagramNodes: 300_000 };
          const from = ['x:1', 'y:1'].map((port): Start => ({ port, layouts: [layout] }));
          const [one, ...more] = from.map((start) => ask(of, start, question, { limits }));
          const all = (question.ask === 'loops' ? loops : blackHoles)(of, from, { limits });
          const verdict = together([one!, ...more]);
          expect(verdict.answer).toBe(all.answer);
          expect(verdict.paths.length).toBe(all.paths.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('policies and comparisons in threads', () => {
  const text = [
    'policy web: from a:in packets { dst net 10.0.0.0/8 } check AF at a:eth1',
    'policy round: check AG not looped',
    'policy away: check EF at b:eth1',
    'policy never: from c:in check AG not at b:eth1',
  ].join('\n');
  const asked = parsePolicies({ path: 'p.policies', text }, network).map(({ name, from, packets, setup, formula }) => ({
    name,
    formula,
    starts: (from.length > 0 ? from : entries).map(
      (port): Start => ({ port, layouts: tcp, setup, ...(packets === undefined ? {} : { assume: packets }) }),
    ),
  }));

  it('have the verdicts that one thread gives, in the order of the file', async () => {
    const expected = asked.map(({ name, formula, starts: from }) => checkFormula(network, name, formula, from));
    expect(new Set(expected.map(({ answer }) => answer)).size).toBeGreaterThan(1);
    for (const options of [{ threads: 1 }, { threads: 3, patienceMs: 0 }]) {
      const verdicts = await checkPolicies(network, asked, options);
      expect(verdicts.map(verdictOnly)).toEqual(expected.map(verdictOnly));
    }
  });

  it('find the differences that one thread finds', async () => {
    const { network: other } = assemble('pair', [
      { path: 'a.rt', text: '10.0.0.0/9 192.0.2.1 eth1\n0.0.0.0/0 192.0.2.9 eth0\n' },
      { path: 'b.rt', text: '0.0.0.0/0 192.0.2.2 eth0\n10.0.0.0/8 192.0.2.2 eth1\n' },
      { path: 'c.rt', text: '10.0.0.0/8 192.0.2.2 eth0\n' },
      { path: 'links.links', text: 'a:eth0 -> b:x\nb:eth0 -> a:y\nc:eth0 -> a:z\n' },
    ]);
    const expected = equivalence(network, other, starts);
    expect(expected.answer).toBe('violated');
    const kinds = ({ differences }: EquivalenceVerdict<ShownPath>) =>
      differences.map(({ kind, start, inA }) => `${kind} ${start} ${inA[0]?.witness()?.sent.layout}`).toSorted();
    for (const options of [{ threads: 1 }, { threads: 3, patienceMs: 0 }]) {
      const verdict = await compareEverywhere([network, other], starts, options);
      expect([verdict.answer, verdict.because, kinds(verdict)]).toEqual([
        expected.answer,
        expected.because,
        kinds(expected),
      ]);
      expect((await compareEverywhere([network, network], starts, options)).answer).toBe('holds');
      expect(differencesText(verdict, ['a', 'b'])).toContain('packet ipv4/tcp');
    }
  });

  it('say of what there was no time for that it is not known', async () => {
    const verdict = await compareEverywhere([network, network], starts, { limits: { milliseconds: 0 } });
    expect(verdict).toMatchObject({ answer: 'unknown', bound: 'milliseconds', differences: [] });
  });
});

const verdictOnly = ({ question, answer, because, paths }: Verdict<ShownPath>) => [
  question,
  answer,
  because,
  paths.length,
];
