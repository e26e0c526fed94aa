import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { compare, recommend, train } from './learned.ts';
import { simulatePolicy, solve } from './solve.ts';

const example = fileURLToPath(new URL('../../../examples/scaling/scaling.yaml', import.meta.url));
const options = { method: 'auto', tolerance: 1e-6 } as const;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-scale-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

const text = ({ out }: ReturnType<typeof recorded>) => out.join('\n');
const json = ({ out }: ReturnType<typeof recorded>) => JSON.parse(out[0]!) as Record<string, number>;

test('solve prints bounds and thresholds, and a table that simulate reads and confirms', async () => {
  const people = recorded();
  const file = join(folder, 'table.json');
  await solve(people.context, example, { ...options, table: file });
  expect(text(people)).toMatch(/between [\d.]+ and [\d.]+ per unit of time {2}exact, 792 states/);
  expect(text(people)).toMatch(/^ +5 +never +\d+ tasks/m);
  const programs = recorded('json');
  await solve(programs.context, example, options);
  const simulated = recorded('json');
  await simulatePolicy(simulated.context, example, { ...options, table: file, events: 50_000, seed: 1 });
  const { gain, half } = json(simulated);
  expect(Math.abs(gain! - json(programs)['upper']!)).toBeLessThan(2 * half!);
  await writeFile(file, JSON.stringify({ format: 'superfluidity-scaling-policy', table: 'AAAA' }));
  const again = simulatePolicy(recorded().context, example, { ...options, table: file, events: 1_000, seed: 1 });
  await expect(again).rejects.toMatchObject({ code: 'SF-SCALE-INPUT' });
});

test('what is wrong with a model has its line', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, (await readFile(example, 'utf8')).replace('arrivalRate: 4.75', 'arrivalRate: -1'));
  await expect(solve(recorded().context, file, options)).rejects.toMatchObject({
    code: 'SF-SCALE-INPUT',
    details: { data: { problems: [{ position: { line: 5 } }] } },
  });
  const large = join(folder, 'large.yaml');
  await writeFile(large, (await readFile(example, 'utf8')).replace('queues: 5', 'queues: 300'));
  await expect(solve(recorded().context, large, { ...options, method: 'exact' })).rejects.toMatchObject({
    code: 'SF-SCALE-STATES',
  });
});

test('train prints a model, by which recommend counts', async () => {
  const csv = join(folder, 'measured.csv');
  const rows = Array.from({ length: 300 }, (_, i) => `${(i + 1) / 310},${10 / (1 - (i + 1) / 310)}`);
  await writeFile(csv, `cpu,latencyMs\n${rows.join('\n')}\n`);
  const trained = recorded();
  await train(trained.context, csv, { quality: 'latencyMs', perPod: ['cpu'], fixed: [], quantile: 0.9, trees: 60 });
  const model = join(folder, 'model.json');
  await writeFile(model, text(trained));
  const asked = { replicas: 4, atMost: 50, margin: 0, growth: 1, min: 1, max: 20 };
  const answer = recorded('json');
  await recommend(answer.context, model, { ...asked, metric: ['cpu=0.95'] });
  expect(json(answer)['replicas']).toBeGreaterThanOrEqual(5);
  expect(json(answer)['replicas']).toBeLessThanOrEqual(6);
  for (const metric of ['cpu', 'cpu=x', 'memory=1']) {
    await expect(recommend(recorded().context, model, { ...asked, metric: [metric] })).rejects.toMatchObject({
      code: 'SF-CLI-USAGE',
    });
  }
});

test('compare reads a trace and puts policies side by side', async () => {
  const csv = join(folder, 'trace.csv');
  await writeFile(csv, `timestamp,value\n${[10, 40, 90, 30, 10].map((load, i) => `${i * 300},${load}`).join('\n')}\n`);
  const given = { serviceMs: 10, boot: 60, promiseMs: 50, cpuTarget: 0.6, step: 30, max: 50, seed: 1 };
  const people = recorded();
  await compare(people.context, csv, given);
  expect(text(people)).toMatch(/^learned +[\d.]+ +[\d.]+/m);
  expect(text(people)).toMatch(/^learned-seasonal +[\d.]+ +[\d.]+/m);
  expect(text(people)).toMatch(/^clairvoyant +0\.0/m);
  await expect(compare(people.context, csv, { ...given, period: 1 })).rejects.toMatchObject({ code: 'SF-SCALE-INPUT' });
});
