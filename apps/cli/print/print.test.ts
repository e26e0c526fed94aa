import type { OperationDetail, Plan, Step } from '@superfluidity/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorText } from './error.ts';
import { planText } from './plan.ts';
import { changedSteps, progressLines } from './progress.ts';
import { plain, styleFor } from './style.ts';
import { displayWidth, facts, table } from './table.ts';
import { milliseconds } from './values.ts';
import { verificationText } from './verification.ts';
import { wavesOf } from './waves.ts';

describe('tables', () => {
  test('columns start at the same place, also behind wide characters', () => {
    const text = table(
      [
        { name: 'edge', n: 1 },
        { name: '東京', n: 20 },
        { name: undefined, n: 300 },
      ],
      [
        { title: 'NAME', value: (row) => row.name },
        { title: 'N', value: (row) => row.n, align: 'right' },
      ],
    );
    expect(text).toBe('NAME    N\nedge    1\n東京   20\n-     300');
  });

  test('whatever is in a cell, there is one line for each row and nothing moves the cursor', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (names) => {
        const lines = table(names, [{ title: 'NAME', value: (name) => name }]).split('\n');
        expect(lines).toHaveLength(names.length + 1);
        // oxlint-disable-next-line no-control-regex
        for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test('facts leave out what is not known', () => {
    expect(
      facts([
        ['name', 'edge'],
        ['tier', undefined],
        ['hosts', 4],
      ]),
    ).toBe('name   edge\nhosts  4');
    expect(displayWidth('é東')).toBe(3);
  });
});

test.each([
  [0.04, '0 ms'],
  [9.96, '10 ms'],
  [12, '12 ms'],
  [1_234, '1.2 s'],
  [125_000, '2 min 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(milliseconds(ms)).toBe(text);
});

test('an error shows the chain down to the exchange, and what to do about its root', () => {
  const text = errorText(
    {
      code: 'SF-A',
      message: 'deploy video: a step failed',
      hint: 'Retry.',
      cause: {
        code: 'SF-B',
        message: 'create unit',
        hint: 'Install runc.',
        request: 'runc run x\nin /tmp',
        answer: 'exit 1',
        cause: { code: 'ENOENT', message: 'no such file' },
      },
    },
    plain,
  );
  expect(text).toBe(
    [
      'error SF-A: deploy video: a step failed',
      '  because SF-B: create unit',
      '    request: runc run x',
      '             in /tmp',
      '    answer: exit 1',
      '    because ENOENT: no such file',
      'hint  Install runc.',
      'hint  Retry.',
    ].join('\n'),
  );
});

test('colours are for terminals, and only where they are wanted', () => {
  expect(styleFor({ isTTY: true }, {}).red('x')).toContain('\u001b[31m');
  expect(styleFor({ isTTY: true }, { NO_COLOR: '1' }).red('x')).toBe('x');
  expect(styleFor({}, {}).red('x')).toBe('x');
});

describe('waves', () => {
  test('every step comes after what it depends on', () => {
    const graph = fc
      .array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 40 })
      .map((lists) =>
        lists.map((list, i) => ({ id: `s${i}`, dependsOn: i === 0 ? [] : list.map((n) => `s${n % i}`) })),
      );
    fc.assert(
      fc.property(graph, (steps) => {
        const waves = wavesOf(steps);
        const waveOf = new Map(waves.flatMap((wave, i) => wave.map((step) => [step.id, i] as const)));
        expect(waveOf.size).toBe(steps.length);
        for (const { id, dependsOn } of steps) {
          for (const before of dependsOn) expect(waveOf.get(before)).toBeLessThan(waveOf.get(id)!);
        }
      }),
    );
  });

  test('a cycle does not make it wait for ever', () => {
    expect(
      wavesOf([
        { id: 'a', dependsOn: ['b'] },
        { id: 'b', dependsOn: ['a'] },
      ]),
    ).toHaveLength(1);
  });
});

test('a plan shows places with reasons, chains, cost and steps in waves', () => {
  const steps = [
    { id: '1', title: 'create network users', verb: 'network', dependsOn: [] },
    { id: '2', title: 'create container video', verb: 'unit', dependsOn: ['1'] },
  ];
  const plan: Plan = {
    service: 'mobile-edge',
    kind: 'INSTANTIATE',
    costPerHour: 1.5,
    digest: 'abc',
    steps,
    assignments: [
      {
        unit: 'video/server#0',
        path: 'video/server',
        index: 0,
        environment: 'container',
        site: 'core',
        host: 'h1',
        reasons: ['cheapest', 'room'],
      },
    ],
    chains: [{ chain: 'stream', latencyMs: 12, maxMs: 50, sites: ['edge', 'edge', 'core'] }],
  };
  const text = planText(plan, plain);
  expect(text).toContain('INSTANTIATE, 2 steps, 1.50 per hour');
  expect(text).toContain('video/server#0  container    core  h1    cheapest; room');
  expect(text).toContain('edge > core');
  expect(text).toMatch(/wave 1\n {4}create network users\n {2}wave 2\n {4}create container video/);
});

test('what is there is shown beside what was meant, with the packet, both ways, and the rules of both', () => {
  const path = (outcome: string, port: string, text: string) => ({
    outcome,
    port,
    layout: 'ipv4/udp',
    doubts: [],
    hops: [
      { port: 'h:up:in', because: [{ file: 'h.nft', line: 7, text }] },
      { port, because: [] },
    ],
    packet: { sent: { 'UDP.dport': '5353' }, arrived: { 'UDP.dport': '5353' } },
  });
  const text = verificationText(
    {
      plane: 'realised',
      answer: 'holds',
      policies: [],
      likeness: {
        answer: 'violated',
        because: 'There are packets that are treated otherwise than they were meant to be.',
        dependsOn: [],
        differences: [
          {
            because: 'A packet of a arrives nowhere, and was meant to be one that arrives at b.',
            meant: [path('delivered', 'b:local:out', 'accept')],
            there: [path('dropped', 'h:up:in', 'udp dport 5353 drop')],
          },
        ],
        leftOut: ['packets for the balancer front'],
      },
      assumptions: [],
      tookMs: 1,
    },
    plain,
  );
  expect(text.split('\n').map((line) => line.trim())).toEqual([
    'Policies on the data plane that the sites have',
    'VIOLATED  as it was meant: There are packets that are treated otherwise than they were meant to be.',
    'A packet of a arrives nowhere, and was meant to be one that arrives at b.',
    'as it is meant:',
    'packet ipv4/udp: UDP.dport 5353',
    'h:up:in',
    'h.nft:7  accept',
    'b:local:out',
    'delivered',
    'as it is:',
    'packet ipv4/udp: UDP.dport 5353',
    'h:up:in',
    'h.nft:7  udp dport 5353 drop',
    'h:up:in',
    'dropped',
    'not compared: packets for the balancer front',
  ]);
});

describe('progress', () => {
  const step = (id: number, state: Step['state']): Step => ({
    id: `${id}`,
    title: `step ${id}`,
    verb: 'v',
    dependsOn: [],
    state,
    attempt: 1,
  });
  const operation = (steps: Step[]): OperationDetail => ({
    id: 'op-1',
    service: 'video',
    kind: 'MOVE',
    state: 'PROCESSING',
    automatic: false,
    params: {},
    startedAt: 0,
    stateEnteredAt: 0,
    cancelPending: false,
    steps,
  });

  test('fits the terminal and never hides what failed or runs', () => {
    const state = fc.constantFrom<Step['state']>('pending', 'done', 'skipped');
    fc.assert(
      fc.property(
        fc.array(state, { maxLength: 300 }),
        fc.integer({ min: 10, max: 60 }),
        fc.nat(),
        (states, rows, at) => {
          const steps = states.map((one, i) => step(i, one));
          steps.splice(at % (steps.length + 1), 0, step(1_000, 'failed'), step(1_001, 'running'));
          const lines = progressLines(operation(steps), { rows, columns: 80 }, 1_000, plain);
          expect(lines.length).toBeLessThan(rows);
          expect(lines.join('\n')).toContain('✗ step 1000');
          expect(lines.join('\n')).toContain('▸ step 1001');
          for (const line of lines.slice(1)) expect(displayWidth(line)).toBeLessThanOrEqual(80);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('only what changed is news', () => {
    const before = operation([step(1, 'done'), step(2, 'running'), step(3, 'pending')]);
    const now = operation([step(1, 'done'), step(2, 'done'), step(3, 'running')]);
    expect(changedSteps(before, now).map((one) => one.id)).toEqual(['2', '3']);
    expect(changedSteps(undefined, now)).toHaveLength(3);
  });
});
