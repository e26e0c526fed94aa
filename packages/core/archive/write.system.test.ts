import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readArchive, writeTarGz, writeZip } from './index.ts';

const limits = { files: 100, fileBytes: 100_000, totalBytes: 1_000_000 };
const files = [
  { path: 'b.txt', bytes: Buffer.from('b') },
  { path: `deep/${'x'.repeat(90)}/${'ü'.repeat(60)}.txt`, bytes: Buffer.from('long '.repeat(500)) },
  { path: 'empty', bytes: Buffer.alloc(0) },
  { path: 'a/ü ,.yaml', bytes: Buffer.from('a: 1\n') },
];
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-write-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const absent = (tool: string) =>
  spawnSync(tool, ['--help']).error === undefined ? '' : ` (skipped: there is no ${tool})`;

describe.each([
  ['zip', writeZip, 'unzip', (path: string) => ['-q', path, '-d']],
  ['tar', writeTarGz, 'tar', (path: string) => ['-xzf', path, '-C']],
] as const)('a %s archive', (kind, write, tool, unpack) => {
  test.skipIf(absent(tool) !== '')(`is unpacked by ${tool} as what was put in${absent(tool)}`, () => {
    const path = join(folder, `x.${kind}`);
    writeFileSync(path, write(files));
    const out = mkdtempSync(join(folder, kind));
    if (kind === 'zip') expect(execFileSync('unzip', ['-tq', path], { encoding: 'utf8' })).toContain('No errors');
    execFileSync(tool, [...unpack(path), out]);
    for (const file of files) expect(readFileSync(join(out, file.path))).toEqual(file.bytes);
  });

  test('is read as what was put in, and is the same whatever the order', async () => {
    const entry = fc.record({
      path: fc.stringMatching(/^[a-zü]{1,60}(\/[a-z]{1,60}){0,3}$/),
      bytes: fc.uint8Array({ maxLength: 700 }),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ path }) => path, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(entries, async (some) => {
        const archive = write(some);
        const read = await readArchive(archive, limits);
        const plain = (list: typeof read) =>
          new Map(list.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('hex')]));
        expect(plain(read)).toEqual(plain(some));
        expect(Buffer.compare(archive, write(some.toReversed()))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('holds no name that leads out of it', () => {
    for (const path of ['../x', '/etc/passwd', 'a/../../x']) {
      expect(() => write([{ path, bytes: Buffer.alloc(0) }])).toThrow(/leads out/);
    }
  });
});
