import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { styleFor } from '../print/style.ts';
import { convert, type ConvertOptions } from './convert.ts';

const example = fileURLToPath(new URL('../../../examples/mobile-edge/service.yaml', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-convert-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

async function run(input: string, options: ConvertOptions) {
  const out: string[] = [];
  const notes: string[] = [];
  const context: Context = {
    options: { server: '', output: 'table' },
    style: styleFor({ isTTY: false } as never),
    client: () => Promise.reject(new Error('no server is asked')),
    show: (_value, text) => Promise.resolve(void out.push(text())),
    say: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    asks: false,
    secret: () => Promise.reject(new Error('nobody is asked')),
  };
  await convert(context, [input], options);
  return { out: out.join('\n'), notes, code: process.exitCode };
}

test('a package is written in XML where that is asked for, and where the dialect has it', async () => {
  const out = join(folder, 'xml');
  await run(example, { to: 'sol006', encoding: 'xml', out });
  expect(await readFile(join(out, 'nsd.xml'), 'utf8')).toContain('<nfv xmlns="urn:etsi:nfv:yang:etsi-nfv-descriptors"');
  const again = await run(out, { to: 'native' });
  expect(again.out).toContain('name: mobile-edge');
  await expect(run(example, { to: 'nemo', encoding: 'xml' })).rejects.toThrow(/what is: sol006/);
  await expect(run(example, { to: 'nemo', encoding: 'json' })).rejects.toThrow(/there are yaml, xml/);
});

test('a package is written into a folder, and not over what is there', async () => {
  const out = join(folder, 'package');
  const { out: text } = await run(example, { to: 'sol006', out });
  expect(text).toContain('native to sol006: 14 files, nothing is lost');
  expect(await readdir(out)).toEqual(expect.arrayContaining(['nsd.yaml', 'vnfd']));
  await expect(run(example, { to: 'sol006', out })).rejects.toMatchObject({ code: 'SF-CLI-FILE' });
  await run(example, { to: 'sol006', out, force: true });

  const back = join(folder, 'back.yaml');
  await run(out, { to: 'native', out: back });
  const { out: printed } = await run(example, { to: 'native' });
  expect((await readFile(back, 'utf8')).trimEnd()).toBe(printed);
});

test('what is lost is said, and with strict nothing is written', async () => {
  const file = join(folder, 'balanced.yaml');
  const balancer = '  balancers:\n    - {name: web, unit: video, address: 10.99.0.99, port: 80}\n';
  await writeFile(file, (await readFile(example, 'utf8')) + balancer);
  const lossy = await run(file, { to: 'sol006', out: join(folder, 'lossy') });
  expect(lossy.notes).toEqual([
    expect.stringMatching(/balanced\.yaml:\d+:\d+: warning SF-DESCRIPTOR-LOSS: .*balancers/),
  ]);
  expect(lossy.code).toBe(0);
  const strict = await run(file, { to: 'sol006', out: join(folder, 'strict'), strict: true });
  expect(strict.code).toBe(1);
  expect(await readdir(folder)).not.toContain('strict');
});

test('several files are not printed, and what cannot be read is not converted', async () => {
  await expect(run(example, { to: 'sol006' })).rejects.toMatchObject({ code: 'SF-CLI-USAGE' });
  await expect(run(example, { to: 'sol007' })).rejects.toMatchObject({ code: 'SF-DESCRIPTOR-NO-WRITER' });
  const file = join(folder, 'bad.yaml');
  await writeFile(file, 'superfluidity: 1\n');
  const bad = await run(file, { to: 'sol006', out: join(folder, 'none') });
  expect(bad).toMatchObject({ code: 2, out: expect.stringContaining('nothing was written') });
  expect(bad.notes[0]).toMatch(/^bad\.yaml:1:1: error SF-DESCRIPTOR-MISSING/);
});

test('a dialect that has words for nothing of it is told from an input that cannot be used', async () => {
  const none = await run(example, { to: 'click', out: join(folder, 'none.click') });
  expect(none).toMatchObject({ code: 2, out: expect.stringContaining('click has words for none of it, see above') });
  expect(none.notes.every((note) => note.includes('warning SF-DESCRIPTOR-LOSS'))).toBe(true);
});

test('a file whose name has no ending is read as what it says', async () => {
  for (const to of ['kubernetes', 'nemo', 'native'] as const) {
    const file = join(folder, `as-${to}`);
    await run(example, { to, out: file });
    expect((await run(file, { to: 'native', out: `${file}.yaml` })).out).toContain(`${to} to native: 1 file`);
  }
});
