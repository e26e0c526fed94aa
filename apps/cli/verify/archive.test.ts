import { execFile } from 'node:child_process';
import { link, mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchiveProblem, readTar } from './archive.ts';
import { loadFiles } from './load.ts';

const run = promisify(execFile);
const limits = { files: 10, fileBytes: 10_000, totalBytes: 100_000 };
const longName = `deep/${'x'.repeat(120)}/${'y'.repeat(120)}.rt`;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-archive-'));
  const net = join(folder, 'net');
  await mkdir(join(net, longName, '..'), { recursive: true });
  await writeFile(join(net, 'edge.rt'), '10.0.0.0/8 attached eth1\n');
  await writeFile(join(net, '.hidden'), 'not read');
  await writeFile(join(net, longName), '10.0.0.0/8 attached eth2\n');
  await link(join(net, 'edge.rt'), join(net, 'other.rt'));
  await symlink('/etc/hostname', join(net, 'link.rt'));
  for (const format of ['pax', 'gnu']) {
    await run('tar', [`--format=${format}`, '-cf', join(folder, `${format}.tar`), '-C', net, '.']);
    await run('tar', [`--format=${format}`, '-czf', join(folder, `${format}.tgz`), '-C', net, '.']);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An archive with one file whose header is right, whatever its name. */
function tarOf(name: string, contents = 'a'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(contents.length.toString(8).padStart(11, '0'), 124);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(contents.length / 512) * 512);
  body.write(contents);
  return Buffer.concat([header, body, Buffer.alloc(1_024)]);
}

describe('an archive as a network', () => {
  test.each(['pax.tar', 'pax.tgz', 'gnu.tar', 'gnu.tgz'])('is read as the folder would be: %s', async (name) => {
    const files = await loadFiles(join(folder, name));
    expect(files.map(({ path }) => path).sort()).toEqual([longName, 'edge.rt', 'other.rt']);
    for (const box of ['edge.rt', 'other.rt']) {
      expect(files.find(({ path }) => path === box)?.text).toBe('10.0.0.0/8 attached eth1\n');
    }
  });

  test('is refused when it leads out, is damaged, or is too large', async () => {
    for (const name of ['/etc/passwd', '../up', 'a/../../up']) {
      await expect(readTar(tarOf(name), limits), name).rejects.toThrow('leads out of the archive');
    }
    const damaged = tarOf('a');
    damaged[0] = 0x62;
    await expect(readTar(damaged, limits)).rejects.toThrow('the header at byte 0 is damaged');
    await expect(readTar(tarOf('a').subarray(0, 1_024), limits)).rejects.toThrow('it has no end');
    await expect(readTar(tarOf('a').subarray(0, 512), limits)).rejects.toThrow('longer than the archive');
    await expect(readTar(tarOf('a', 'b'.repeat(10_001)), limits)).rejects.toThrow('more than 10000 bytes');
    const many = Buffer.concat(Array.from({ length: 11 }, (_, i) => tarOf(`f${i}`).subarray(0, 1_024)));
    await expect(readTar(many, limits)).rejects.toThrow('more than 10 files');
    await expect(readTar(gzipSync(Buffer.alloc(1_000_000)), limits)).rejects.toThrow('unpacks to more than');
    await expect(readTar(Buffer.from([0x1f, 0x8b, 1, 2, 3]), limits)).rejects.toThrow('damaged');
    await writeFile(join(folder, 'bad.tar'), 'no archive');
    await expect(loadFiles(join(folder, 'bad.tar'))).rejects.toMatchObject({ code: 'SF-CLI-FILE' });
  });

  test('never does anything else, whatever the bytes are', async () => {
    const good = await readFile(join(folder, 'pax.tar'));
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), fc.nat(good.length), async (changes, length) => {
        const bytes = Buffer.from(good.subarray(0, length));
        for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
        try {
          for (const { path } of await readTar(bytes, limits)) expect(path).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)/);
        } catch (error) {
          expect(error).toBeInstanceOf(ArchiveProblem);
        }
      }),
    );
  });
});
