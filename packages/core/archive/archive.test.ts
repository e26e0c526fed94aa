import { execFile, spawnSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readArchive } from './index.ts';

const run = promisify(execFile);
const limits = { files: 10, fileBytes: 10_000, totalBytes: 26_000 };
const longName = `deep/${'x'.repeat(120)}/${'y'.repeat(120)}.rt`;
const routes = '10.0.0.0/8 attached eth1\n';
const zipAbsent = spawnSync('zip', ['-v']).status === 0 ? '' : ' (skipped: there is no command zip)';
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-archive-'));
  const net = join(folder, 'net');
  await mkdir(join(net, longName, '..'), { recursive: true });
  await writeFile(join(net, 'edge.rt'), routes);
  await writeFile(join(net, longName), routes.repeat(100));
  await link(join(net, 'edge.rt'), join(net, 'other.rt'));
  await symlink('/etc/hostname', join(net, 'link.rt'));
  for (const format of ['pax', 'gnu']) {
    await run('tar', [`--format=${format}`, '-cf', join(folder, `${format}.tar`), '-C', net, '.']);
    await run('tar', [`--format=${format}`, '-czf', join(folder, `${format}.tgz`), '-C', net, '.']);
  }
  if (zipAbsent !== '') return;
  await run('zip', ['-qry', '../deflated.zip', '.'], { cwd: net });
  await run('zip', ['-qry0', '../stored.zip', '.'], { cwd: net });
  spawnSync('zip', ['-qryz', '../commented.zip', '.'], { cwd: net, input: 'PK\u0005\u0006 is no end\n.\n' });
  await run('zip', ['-qr', '-P', 'secret', '../encrypted.zip', 'edge.rt'], { cwd: net });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const named = async (name: string) => readFile(join(folder, name));

/** An archive with one file whose header is right, whatever its name. */
function tarOf(name: string, contents = 'a', change: { readonly type?: string; readonly to?: string } = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(contents.length.toString(8).padStart(11, '0'), 124);
  header.write(' '.repeat(8), 148);
  header.write(change.type ?? '0', 156);
  header.write(change.to ?? '', 157);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(contents.length / 512) * 512);
  body.write(contents);
  return Buffer.concat([header, body, Buffer.alloc(1_024)]);
}

interface ZipFile {
  readonly name: string;
  readonly contents?: string;
  /** What the directory says, where that is not so. */
  readonly size?: number;
  readonly sum?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Of Unix, with its type. */
  readonly mode?: number;
  /** Where its header is: that of another file. */
  readonly at?: number;
}

function zipOf(...files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const raw = Buffer.from(file.contents ?? 'a');
    const data = deflateRawSync(raw);
    const name = Buffer.from(file.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x0403_4b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x0201_4b50, 0);
    central.writeUInt16LE(3 << 8, 4);
    central.writeUInt16LE(file.flags ?? 0, 8);
    central.writeUInt16LE(file.method ?? 8, 10);
    central.writeUInt32LE(file.sum ?? crc32(raw), 16);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(file.size ?? raw.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(((file.mode ?? 0o100_644) << 16) >>> 0, 38);
    central.writeUInt32LE(file.at ?? at, 42);
    parts.push(local, name, data);
    directory.push(central, name);
    at += 30 + name.length + data.length;
  }
  const end = Buffer.alloc(22);
  const listed = Buffer.concat(directory);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}

const refused = (bytes: Uint8Array, why: string, name?: string) =>
  expect(readArchive(bytes, limits), name).rejects.toMatchObject({
    code: 'SF-CORE-ARCHIVE',
    message: expect.stringContaining(why),
  });

describe('an archive', () => {
  test.each(['pax.tar', 'pax.tgz', 'gnu.tar', 'gnu.tgz'])('of tar is read: %s', async (name) => {
    const entries = await readArchive(await named(name), limits);
    expect(new Map(entries.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]))).toEqual(
      new Map([
        [longName, routes.repeat(100)],
        ['edge.rt', routes],
        ['other.rt', routes],
      ]),
    );
  });

  describe.skipIf(zipAbsent !== '')(`of the command zip${zipAbsent}`, () => {
    test.each(['deflated.zip', 'stored.zip', 'commented.zip'])('is read: %s', async (name) => {
      const entries = await readArchive(await named(name), limits);
      expect(new Map(entries.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]))).toEqual(
        new Map([
          [longName, routes.repeat(100)],
          ['edge.rt', routes],
          ['other.rt', routes],
        ]),
      );
    });

    test('is refused when it is encrypted', async () => {
      await refused(await named('encrypted.zip'), 'edge.rt is encrypted');
    });
  });

  test('of tar is refused when it leads out, is damaged, or is too large', async () => {
    for (const name of ['/etc/passwd', '../up', 'a/../../up']) {
      await refused(tarOf(name), 'leads out of the archive', name);
    }
    const damaged = tarOf('a');
    damaged[0] = 0x62;
    await refused(damaged, 'the header at byte 0 is damaged');
    await refused(tarOf('a').subarray(0, 1_024), 'it has no end');
    await refused(tarOf('a').subarray(0, 512), 'longer than the archive');
    await refused(tarOf('a', 'b'.repeat(10_001)), 'more than 10000 bytes');
    const many = Buffer.concat(Array.from({ length: 11 }, (_, i) => tarOf(`f${i}`).subarray(0, 1_024)));
    await refused(many, 'more than 10 files');
    const large = tarOf('a', 'b'.repeat(9_000));
    const links = [1, 2, 3].map((i) => tarOf(`link${i}`, '', { type: '1', to: 'a' }).subarray(0, 512));
    await refused(Buffer.concat([large.subarray(0, large.length - 1_024), ...links]), 'unpacks to more than 26000');
    await refused(gzipSync(Buffer.alloc(1_000_000)), 'unpacks to more than');
    await refused(Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'damaged');
    await refused(Buffer.from('no archive'), 'within a header');
  });

  test('of zip is refused when it leads out, is damaged, or is not what it says', async () => {
    for (const name of ['/etc/passwd', '../up', 'a/../../up', 'a\0b']) {
      await refused(zipOf({ name }), 'leads out of the archive', name);
    }
    await refused(zipOf({ name: 'a' }, { name: './a' }), 'a is in it twice');
    await refused(zipOf({ name: 'a', flags: 1 }), 'a is encrypted');
    await refused(zipOf({ name: 'a', method: 14 }), 'packed by method 14');
    await refused(zipOf({ name: 'a', sum: 1 }), 'a is damaged');
    await refused(zipOf({ name: 'a', size: 2 }), 'a is damaged');
    await refused(zipOf({ name: 'a', size: 0xffff_ffff }), 'zip64');
    await refused(zipOf({ name: 'a' }, { name: 'b', at: 0 }), 'b overlaps');
    await refused(zipOf({ name: 'a', at: 5 }), 'the header of a is damaged');
    await refused(zipOf({ name: 'a' }).subarray(0, 40), 'it has no end');
  });

  test('of zip is refused before more comes out than is allowed', async () => {
    await refused(zipOf({ name: 'bomb', contents: '0'.repeat(1_000_000), size: 100 }), 'more than the 100 bytes');
    await refused(zipOf({ name: 'large', contents: '0'.repeat(10_001) }), 'more than 10000 bytes');
    const three = [1, 2, 3].map((i) => ({ name: `f${i}`, contents: '0'.repeat(9_000) }));
    await refused(zipOf(...three), 'unpacks to more than 26000 bytes');
    await refused(zipOf(...Array.from({ length: 11 }, (_, i) => ({ name: `f${i}` }))), 'more than 10 files');
  });

  test('of zip has no links and no folders', async () => {
    const entries = await readArchive(
      zipOf({ name: 'to', contents: '/etc/passwd', mode: 0o120_777 }, { name: 'dir/' }, { name: 'dir/a' }),
      limits,
    );
    expect(entries.map(({ path }) => path)).toEqual(['dir/a']);
  });

  test('is read or refused, whatever the bytes are', async () => {
    const zip = zipOf({ name: 'a.rt', contents: routes }, { name: 'b/c.rt', contents: routes.repeat(50) });
    for (const good of [await named('pax.tar'), zip]) {
      const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 8 }), fc.nat(good.length), async (changes, length) => {
          const bytes = Buffer.from(good.subarray(0, length));
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          try {
            for (const { path } of await readArchive(bytes, limits)) {
              expect(path).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)/);
            }
          } catch (error) {
            expect(error).toMatchObject({ code: 'SF-CORE-ARCHIVE' });
          }
        }),
        { examples: [[[], good.length]] },
      );
    }
  });
});
