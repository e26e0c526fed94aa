import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChainsResult, predictedCores, switchModels } from '@superfluidity/place/ocm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { calibrateSwitch } from './calibrate.ts';
import { chains } from './chains.ts';

const example = fileURLToPath(new URL('../../../examples/placement/chains.yaml', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-place-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

test('a table says where, for how much and why; JSON says the same', async () => {
  const people = recorded();
  await chains(people.context, example, { policy: 'ocm', seed: 1 });
  expect(people.out.join('\n')).toMatch(/4 of 4 chains placed by ocm {2}[\d.]+ cores for switching/);
  expect(people.out.join('\n')).toMatch(/^video +edge\/gpu +transcoder +[\d.]+ {2}its switch was idle/m);
  expect(process.exitCode ?? 0).toBe(0);
  const programs = recorded('json');
  await chains(programs.context, example, { policy: 'ocm', seed: 1 });
  const result = JSON.parse(programs.out[0]!) as ChainsResult;
  expect(result.totals.accepted).toBe(4);
  expect(people.out.join('\n')).toContain(`${result.totals.switchingCores.toFixed(3)} cores for switching`);
});

test('a refused chain makes the exit code 1, and a file that cannot be used has its lines', async () => {
  const { context, out } = recorded();
  await chains(context, example, { policy: 'distribute', seed: 1 });
  expect(process.exitCode).toBe(1);
  expect(out.join('\n')).toContain('refused video: SF-PLACE-NO-CANDIDATE: there are not as many hosts with room');
  const bad = join(folder, 'bad.yaml');
  await writeFile(bad, (await readFile(example, 'utf8')).replace('b: core', 'b: corr'));
  await expect(chains(context, bad, { policy: 'ocm', seed: 1 })).rejects.toMatchObject({
    code: 'SF-PLACE-INPUT',
    details: { data: { problems: [{ position: { line: 14 }, suggestion: "did you mean 'core'?" }, {}] } },
  });
  await expect(chains(context, join(folder, 'absent'), { policy: 'ocm', seed: 1 })).rejects.toMatchObject({
    code: 'SF-CLI-FILE',
  });
});

test('what calibration prints can be put into a file of chains', async () => {
  const rows = [50_000, 400_000, 1_500_000].flatMap((ratePps) =>
    [1, 2, 5].map((length) => ({ ratePps, length, copies: 2 })),
  );
  const line = (one: (typeof rows)[number]) =>
    `${one.length},${one.ratePps},${predictedCores(switchModels['kernel-ovs'], one)},${one.copies}`;
  const csv = join(folder, 'measured.csv');
  await writeFile(csv, `length,rate,cpu,copies\n${rows.map(line).join('\n')}\n`);
  const { context, out, notes } = recorded();
  await calibrateSwitch(context, csv, { name: 'mine', switch: 'mine', frameBytes: 64 });
  expect(notes[0]).toMatch(/^9 measurements: mean error 0.0 %/);
  const file = join(folder, 'mine.yaml');
  const text = (await readFile(example, 'utf8')).replace(
    'switch: kernel-ovs',
    `switch: mine\nswitches: [${JSON.stringify(JSON.parse(out[0]!))}]`,
  );
  await writeFile(file, text);
  const other = recorded();
  await chains(other.context, file, { policy: 'ocm', seed: 1 });
  expect(other.out.join('\n')).toMatch(/4 of 4 chains placed/);
});
