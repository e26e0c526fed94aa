import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CharacterisationReport, type Client, routes } from '@superfluidity/api';
import type { Analysis } from '@superfluidity/characterise';
import { readDescriptor } from '@superfluidity/dialects';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { analyseResults, report } from './analyse.ts';
import { publish } from './publish.ts';
import { run } from './run.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const example = at('examples/characterise/simulated.yaml');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-characterise-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

const options = { confidence: 0.95, noise: 0.05, deploy: true, timeout: 60 };

test('the guide shows what is printed, and it is what all experiments would give', async () => {
  const results = join(folder, 'active.jsonl');
  const { context, out, notes } = recorded();
  await run(context, example, { ...options, results });
  await analyseResults(context, example, results, {});
  expect(notes).toHaveLength(17);
  const guide = (await readFile(at('docs/guides/characterise.md'), 'utf8')).replaceAll(/^ {4}/gm, '');
  expect(out[0]!.split('\n')[0]!.replace(results, 'results.jsonl')).toBe(
    '17 of 288 experiments in results.jsonl, confidence 0.981',
  );
  for (const line of [out[0]!.split('\n')[0]!.replace(results, 'results.jsonl'), ...out[1]!.split('\n')])
    expect(guide).toContain(line);

  const whole = recorded('json');
  await run(whole.context, example, { ...options, results: join(folder, 'all.jsonl'), exhaustive: true });
  await analyseResults(whole.context, example, join(folder, 'all.jsonl'), {});
  expect(JSON.parse(whole.out[0]!)).toEqual({
    results: join(folder, 'all.jsonl'),
    experiments: 288,
    of: 288,
    failed: 0,
  });
  const few = recorded('json');
  await analyseResults(few.context, example, results, { out: join(folder, 'out') });
  const { templates } = JSON.parse(few.out[0]!) as Analysis;
  expect(templates).toEqual((JSON.parse(whole.out[1]!) as Analysis).templates);
  expect(JSON.parse(await readFile(join(folder, 'out/templates.json'), 'utf8'))).toEqual(templates);
  const path = join(folder, 'out/Silver/service.yaml');
  const [origin] = readDescriptor([{ path, bytes: await readFile(path) }]).service!.block.children;
  expect(origin!.children[0]!.requirements).toEqual({ cpu: 4, memoryMiB: 2048 });
  expect(origin!.children[0]!.execution!.env).toEqual({ THREADS: '1' });

  const published: unknown[] = [];
  const call = (name: 'putCharacterisation', { params, body }: { params: object; body: unknown }) => {
    published.push(name, params, routes[name].body.parse(body));
    return Promise.resolve({ name: 'simulated' });
  };
  const given = recorded();
  const client = () => Promise.resolve({ call } as unknown as Client);
  await publish({ ...given.context, client }, example, results, {});
  expect(given.out[0]).toContain('simulated: 17 experiments');
  const kept = published[2] as CharacterisationReport;
  expect(published.slice(0, 2)).toEqual(['putCharacterisation', { name: 'simulated' }]);
  expect(Object.fromEntries(kept.classes.map((one) => [one.name, one.configuration]))).toEqual(templates);
  expect(kept.configurations.filter(({ chosen }) => chosen)).toHaveLength(3);
  const silver = kept.classes.find(({ name }) => name === 'Silver')!.descriptor!;
  const [unit] = readDescriptor([{ path: 'service.yaml', bytes: new TextEncoder().encode(silver) }]).service!.block
    .children;
  expect(unit!.children[0]!.requirements).toEqual({ cpu: 4, memoryMiB: 2048 });

  const page = join(folder, 'report.html');
  await report(recorded().context, example, results, { out: page });
  expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>[^]*17 experiments[^]*<\/html>\n$/);
});

test('a dry run says how much it is; what is wrong is said with its line and before anything is done', async () => {
  const { context, out } = recorded();
  await run(context, at('examples/characterise/mobile-edge.yaml'), { ...options, results: '', dryRun: true });
  expect(out[0]).toMatch(/experiments +8 at most\nstress +20.0 s at most/);
  const bad = join(folder, 'bad.yaml');
  await writeFile(bad, (await readFile(example, 'utf8')).replace('vnic_type: {normal', 'vnic_typ: {normal'));
  await expect(run(context, bad, { ...options, results: join(folder, 'bad') })).rejects.toMatchObject({
    code: 'SF-CHARACTERISE-CONFIG',
    details: { data: { problems: [{ position: { line: 48 }, suggestion: "did you mean 'vnic_type'?" }] } },
  });
  const hammer = run(context, at('examples/characterise/unified-origin.yaml'), {
    ...options,
    results: join(folder, 'h'),
  });
  await expect(hammer).rejects.toMatchObject({ code: 'SF-CHARACTERISE-USE-CASE' });
  await expect(analyseResults(context, example, join(folder, 'absent'), {})).rejects.toMatchObject({
    code: 'SF-CLI-FILE',
  });
});
