import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenarios } from '@superfluidity/place/economics';
import { energyPolicies, topologies } from '@superfluidity/place/energy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { barsSvg } from './bars.ts';
import { energyPolicyNames, scenarioNames, topologyNames } from './command.ts';
import { economics } from './economics.ts';
import { energy } from './energy.ts';
import { manageNetwork } from './manage.ts';
import { network } from './network.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-design-'));
});
afterAll(() => rm(folder, { recursive: true }));

const drawn = { users: 12, copies: 1, seed: 1, timeLimit: 20 };

test('the command offers what there is', () => {
  expect(scenarioNames).toEqual(Object.keys(scenarios));
  expect(topologyNames).toEqual(Object.keys(topologies));
  expect(energyPolicyNames).toEqual([...energyPolicies, 'milp']);
});

test('a managed network is a table with its certificate, JSON, and a picture', async () => {
  const file = join(folder, 'managed.svg');
  const people = recorded();
  await manageNetwork(people.context, undefined, { ...drawn, objective: 'traffic', method: 'swarm', plot: file });
  expect(people.out[0]).toMatch(
    /Mb\/s for 12 users, [\d.]+ each, with \d of 6 nodes on; by swarm, (proven, )?gap at most/,
  );
  expect(await readFile(file, 'utf8')).toContain('<title>macro: ');
  const programs = recorded('json');
  await manageNetwork(programs.context, undefined, { ...drawn, objective: 'traffic', method: 'swarm' });
  const value = JSON.parse(programs.out[0]!) as { readonly trafficMbps: number; readonly rates: readonly number[] };
  expect(value.rates.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(value.trafficMbps, 6);
});

test('a designed network says what it costs', async () => {
  const { context, out } = recorded();
  await network(context, undefined, { ...drawn, share: 0.9, leastRate: 1, method: 'drop-dearest' });
  expect(out[0]).toMatch(/^[\d,]+ USD for (11|12) of 12 users with 1 Mb\/s at least; by drop-dearest, gap at most/);
});

test('a designed network is a scenario of economics, whose investments are its cost', async () => {
  const programs = recorded('json');
  await network(programs.context, undefined, { ...drawn, share: 0.9, leastRate: 1, method: 'cheapest-first' });
  const file = join(folder, 'designed.json');
  await writeFile(file, programs.out[0]!);
  const { cost, served } = JSON.parse(programs.out[0]!) as { readonly cost: number; readonly served: number };
  const told = recorded('json');
  await economics(told.context, undefined, { from: file, swing: 0.2 });
  const result = JSON.parse(told.out[0]!) as { readonly capex: number; readonly revenue: readonly number[] };
  expect(result.capex).toBeCloseTo(cost, 6);
  // Of the table that comes with the product: 8 subscribers for each user in the first year, each with 8 a month.
  expect(result.revenue[0]).toBeCloseTo(served * 8 * 12 * 8, 6);
  const foreign = join(folder, 'foreign.json');
  await writeFile(foreign, '{"cost": 5}');
  await expect(economics(told.context, undefined, { from: foreign, swing: 0.2 })).rejects.toMatchObject({
    code: 'SF-DESIGN-INPUT',
  });
  await expect(
    economics(told.context, undefined, { from: file, scenario: 'bologna', swing: 0.2 }),
  ).rejects.toMatchObject({ code: 'SF-CLI-USAGE' });
});

test('heuristics of energy are compared, before and after demand grew', async () => {
  const { context, out } = recorded();
  await energy(context, undefined, { topology: 'abilene', flows: 10, seed: 1, timeLimit: 5, loops: true, growth: 1.3 });
  expect(out[0]).toMatch(/^nsff +10 of 10 +\d+ +\d+ +- +[\d.]+ +\d+ +\d+ +\d+$/m);
  expect(out[0]).toMatch(/^sfra +10 of 10/m);
});

test('economics say which fee breaks even, and what it depends on', async () => {
  const { context, out } = recorded();
  await economics(context, undefined, { scenario: 'bologna', swing: 0.2 });
  expect(out[0]).toMatch(/^breaks even at +\d+\.\d\d EUR$/m);
  expect(out[0]).toMatch(/^monthly fee +-?[\d,]+ EUR +-?[\d,]+ EUR$/m);
});

test('what cannot be used has a code', async () => {
  const { context } = recorded();
  const usage = { code: 'SF-CLI-USAGE' };
  const asked = { ...drawn, objective: 'traffic', method: 'milp' } as const;
  await expect(manageNetwork(context, 'some.yaml', asked)).rejects.toMatchObject(usage);
  await expect(manageNetwork(context, undefined, { ...asked, users: 0 })).rejects.toMatchObject(usage);
  await expect(economics(context, undefined, { swing: 0.2 })).rejects.toMatchObject(usage);
  const bad = join(folder, 'bad.yaml');
  await writeFile(bad, 'superfluidity-economics: 2\n');
  await expect(economics(context, bad, { swing: 0.2 })).rejects.toMatchObject({
    code: 'SF-DESIGN-INPUT',
    details: { data: { problems: expect.arrayContaining([expect.objectContaining({ position: expect.anything() })]) } },
  });
});

test('bars stay within the picture, on both sides of their base, and texts cannot leave theirs', () => {
  const svg = barsSvg({
    title: '<script>',
    unit: 'x',
    base: 5,
    names: ['less', 'more'],
    rows: [
      { label: 'a"b', values: [-10, 20] },
      { label: 'none', values: [5, 5] },
    ],
  });
  expect(svg).not.toContain('<script>');
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="20"/g)];
  expect(bars).toHaveLength(4);
  for (const [, x, width] of bars) expect(Number(x) + Number(width)).toBeLessThanOrEqual(720);
  expect(svg).not.toContain('NaN');
});
