import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '@superfluidity/core';
import { beaconTimes, personTimes } from '@superfluidity/observe/detect';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { score } from './score.ts';
import { train } from './train.ts';
import { watch } from './watch.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-detect-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

const usual = { rate: 0.02, threshold: 'conformal', quantiser: 'log', letters: 16, slots: 48 } as const;
const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

test('bots among people, by flow: CSV to learn from, JSON lines to judge, one by one and all together', async () => {
  const random = seeded(3);
  const people = Array.from({ length: 250 }, (_, i) => [...personTimes(80, random)].map((at) => `p${i},${at}`)).flat();
  const learned = await file('people.csv', `flow,at\n${people.join('\n')}\n`);
  const out = join(folder, 'flows.json');
  const rows = { value: 'at', by: 'flow' };
  await train(recorded().context, [learned], { ...usual, ...rows, differences: true, out });
  const beacon = { periodMs: 300_000, jitter: 0.05, missed: 0 };
  const seen = { human: personTimes(80, random), bot: beaconTimes(80, beacon, random) };
  const lines = Object.entries(seen).flatMap(([flow, times]) => [...times].map((at) => JSON.stringify({ flow, at })));
  const judged = await file('seen.jsonl', lines.join('\n'));
  const people2 = recorded();
  await score(people2.context, out, [judged], rows);
  expect(people2.out[0]).toMatch(/^1 of 2 above [\d.]+ bits a letter/);
  expect(people2.out[0]).toMatch(/^bot +[\d.]+ +0\.013/m);
  expect(process.exitCode).toBe(1);
  const programs = recorded('json');
  await watch(programs.context, out, judged, { ...rows, all: true });
  expect(programs.out.map((line) => JSON.parse(line) as { key: string; anomalous: boolean })).toEqual([
    expect.objectContaining({ key: 'human', anomalous: false, letters: 79 }),
    expect.objectContaining({ key: 'bot', anomalous: true }),
  ]);
});

test('lines of names are sequences each', async () => {
  const normal = await file('normal', 'open read read close\n'.repeat(200));
  const out = join(folder, 'calls.json');
  await train(recorded().context, [normal], { ...usual, out });
  const { context, out: said } = recorded();
  await watch(context, out, await file('calls', 'open read read close\nread open execve close\n'), {});
  expect(said).toEqual([expect.stringMatching(/^anomaly {2}2 {2}line 2 {2}/)]);
  const quiet = recorded();
  process.exitCode = 0;
  await score(quiet.context, out, [normal], {});
  expect(quiet.out[0]).toMatch(/^0 of 200 above/);
  expect(process.exitCode).toBe(0);
  await expect(score(quiet.context, out, [await file('others', 'GET POST\n')], {})).rejects.toMatchObject({
    code: 'SF-DETECT-MODEL',
  });
});

test('what has changed for good is said once, what is more regular than usual as such', async () => {
  const random = seeded(11);
  const column = (count: number, of: () => number) => Array.from({ length: count }, () => of().toFixed(3)).join('\n');
  const before = () => 10 * random() * random();
  const out = join(folder, 'series.json');
  const learned = column(6_000, before);
  const two = recorded();
  await train(two.context, [await file('series.csv', `value\n${learned}\n`)], {
    ...usual,
    quantiser: 'k-means',
    letters: 6,
    window: 20,
    regular: 0.02,
    out,
  });
  expect(two.out[0]).toMatch(/^and below [\d.]+, more regular than usual: a rate of 0.02$/m);
  const after = await file('after.csv', `value\n${column(1_000, before)}\n${column(1_000, () => 6 + 4 * random())}\n`);
  const people = recorded();
  await watch(people.context, out, after, { drift: true });
  const drifts = people.out.filter((line) => line.startsWith('drift'));
  expect(drifts.length).toBeGreaterThan(0);
  expect(Number(/line (\d+)/.exec(drifts[0]!)![1])).toBeGreaterThan(1_000);
  expect(process.exitCode).toBe(1);
  const again = recorded();
  await watch(again.context, out, await file('known.csv', `value\n${learned}\n`), {});
  expect(again.out.some((line) => line.endsWith('more regular than usual'))).toBe(true);
});

test.each([
  ['a cell that is no number', 'value\n1\nNaN\n', {}, 'SF-CLI-FILE', /line 3: NaN is not a number/],
  ['a column that is not there', 'other\n1\n', {}, 'SF-CLI-FILE', /line 2: there is no value/],
  ['a time that is none', 'value,t\n1,soon\n', { time: 't' }, 'SF-CLI-FILE', /soon is not a time/],
  [
    'times that go back',
    'value,t\n1,2\n2,1\n3,3\n4,4\n',
    { time: 't', season: 24, window: 1 },
    'SF-DETECT-DATA',
    /before/,
  ],
  ['an empty file', '', {}, 'SF-DETECT-DATA', /nothing was observed/],
])('%s is refused', async (_, text, options, code, reason) => {
  const input = await file('bad.csv', text);
  const done = train(recorded().context, [input], { ...usual, ...options, out: join(folder, 'none.json') });
  await expect(done).rejects.toMatchObject({ code, details: { reason: expect.stringMatching(reason) } });
});

test('a detector that was changed is refused', async () => {
  const detector = JSON.parse(await readFile(join(folder, 'calls.json'), 'utf8')) as Record<string, unknown>;
  for (const change of [{ version: 2 }, { scores: [3, 1] }, { input: { kind: 'names', names: ['a'] } }]) {
    const changed = await file('changed.json', JSON.stringify({ ...detector, ...change }));
    await expect(score(recorded().context, changed, [changed], {})).rejects.toMatchObject({ code: 'SF-DETECT-MODEL' });
  }
  await expect(score(recorded().context, await file('text', 'text'), [], {})).rejects.toMatchObject({
    code: 'SF-DETECT-MODEL',
  });
});
