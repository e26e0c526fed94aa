import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArchive, writeTarGz, writeZip, type ArchiveEntry } from '@superfluidity/core/archive';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readSourceFiles } from '../../source.ts';
import { convert } from '../convert.ts';
import { build, type BuildOptions } from './build.ts';
import { der, oid, readDer, tags } from './der.ts';
import { inspect } from './inspect.ts';
import { formatManifest, parseManifest } from './manifest.ts';
import { packageLimits } from './package.ts';
import { recorded } from '../../testing/recorded.ts';
import { verify } from './verify.ts';

const example = fileURLToPath(new URL('../../../../examples/mobile-edge/service.yaml', import.meta.url));
const options = { kind: 'csar', digest: 'SHA-256', provider: 'Example', released: '2026-01-31T12:00:00Z' } as const;
const application = fileURLToPath(
  new URL('../../../../packages/dialects/appd/golden/video-analytics.yaml', import.meta.url),
);
let folder = '';
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-package-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

async function built(name: string, more: Partial<BuildOptions> = {}): Promise<readonly ArchiveEntry[]> {
  const { context } = recorded();
  const input = more.kind === 'mec' ? application : example;
  await build(context, [input], { ...options, out: at(name), force: true, ...more });
  return readArchive(await readFile(at(name)), packageLimits);
}

async function verified(name: string): Promise<{ readonly mismatches: readonly string[]; readonly code: unknown }> {
  const { context, shown } = recorded();
  process.exitCode = 0;
  await verify(context, at(name), {});
  const { mismatches } = shown[0] as { mismatches: string[] };
  return { mismatches, code: process.exitCode };
}

describe.each(['csar', 'osm', 'mec'] as const)('a package of kind %s', (kind) => {
  const name = kind === 'osm' ? 'x.tar.gz' : `${kind}.csar`;
  const write = kind === 'osm' ? writeTarGz : writeZip;

  test('is the same each time, holds the service, and every change of it is named', async () => {
    const files = await built(name, { kind });
    const first = await readFile(at(name));
    await built(name, { kind });
    expect(Buffer.compare(first, await readFile(at(name)))).toBe(0);
    expect(await verified(name)).toEqual({ mismatches: [], code: 0 });
    const { context, shown } = recorded();
    await inspect(context, at(name));
    expect(shown[0]).toMatchObject({
      kind,
      dialect: { csar: 'tosca', osm: 'osm', mec: 'appd' }[kind],
      service: kind === 'mec' ? 'video-analytics' : 'mobile-edge',
      mismatches: 0,
      signed: false,
    });

    const victim = files.find(({ path }) => path.endsWith('.yaml'))!;
    const others = files.filter((file) => file !== victim);
    const attempts: readonly [readonly ArchiveEntry[], RegExp][] = [
      [
        [...others, { path: victim.path, bytes: Buffer.concat([victim.bytes, Buffer.from('# more\n')]) }],
        /its (?:SHA-256|MD5) is/,
      ],
      [others, /is missing/],
      [[...files, { path: 'extra.sh', bytes: Buffer.from('x') }], /does not list/],
    ];
    for (const [changed, reason] of attempts) {
      await writeFile(at(`changed-${name}`), write(changed));
      const { mismatches, code } = await verified(`changed-${name}`);
      expect(mismatches).toEqual([expect.stringMatching(reason)]);
      expect(code).toBe(1);
    }
  });
});

test('a package is converted and read like a folder; what leads out of it is refused', async () => {
  await built('again.csar');
  const { context, out } = recorded();
  await convert(context, [at('again.csar')], { to: 'native', out: at('native.yaml') });
  expect(out.join()).toContain('tosca to native');
  const zip = await readFile(at('again.csar'));
  const evil = Buffer.from(zip.toString('latin1').replaceAll('Definitions/', '../../../../'), 'latin1');
  await writeFile(at('evil.csar'), evil);
  await expect(readSourceFiles([at('evil.csar')])).rejects.toMatchObject({ code: 'SF-CORE-ARCHIVE' });
  await expect(verify(context, at('evil.csar'), {})).rejects.toMatchObject({ code: 'SF-CORE-ARCHIVE' });
});

test('what cannot be packed writes nothing, and nothing is replaced unasked', async () => {
  await writeFile(at('bad.yaml'), 'superfluidity: 1\n');
  const { context } = recorded();
  await build(context, [at('bad.yaml')], { ...options, out: at('bad.csar') });
  expect(process.exitCode).toBe(2);
  await expect(readFile(at('bad.csar'))).rejects.toThrow(/ENOENT/);
  // A package holds one application.
  const mec = { ...options, kind: 'mec', out: at('bad.csar') } as const;
  await expect(build(context, [example], mec)).rejects.toMatchObject({ code: 'SF-PACKAGE-CONTENT' });
  await expect(readFile(at('bad.csar'))).rejects.toThrow(/ENOENT/);
  await built('there.csar');
  await expect(build(context, [example], { ...options, out: at('there.csar') })).rejects.toMatchObject({
    code: 'SF-CLI-FILE',
  });
  await writeFile(at('none.zip'), writeZip([{ path: 'a.txt', bytes: Buffer.from('a') }]));
  await expect(verify(context, at('none.zip'), {})).rejects.toMatchObject({ code: 'SF-PACKAGE-CONTENT' });
});

test('manifests are read as they were written', () => {
  const word = fc.stringMatching(/^[A-Za-z][\w./-]{0,20}$/);
  const digest = fc.record({
    source: word,
    algorithm: fc.constantFrom('SHA-256', 'SHA-512'),
    hash: fc.stringMatching(/^[0-9a-f]{8}$/),
  });
  const names = word.map((name) => `nsd_${name.replaceAll(/\W/g, '_')}`);
  fc.assert(
    fc.property(fc.dictionary(names, word, { maxKeys: 4 }), fc.array(digest, { maxLength: 5 }), (metadata, digests) => {
      expect(parseManifest(formatManifest({ metadata, digests }))).toEqual({ metadata: { ...metadata }, digests });
    }),
    { numRuns: 100 },
  );
});

test('DER is read as it was written, and damage is an error with a code', () => {
  expect(oid('1.2.840.113549.1.7.2').toString('hex')).toBe('06092a864886f70d010702');
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.nat(400), (parts, cut) => {
      const whole = der(tags.sequence, ...parts.map((part) => der(tags.octets, part)));
      const [sequence] = readDer(whole);
      expect(readDer(sequence!.body).map(({ body }) => body.toString('hex'))).toEqual(
        parts.map((part) => Buffer.from(part).toString('hex')),
      );
      const short = whole.subarray(0, Math.min(cut, whole.length - 1));
      if (short.length > 0)
        expect(() => readDer(short)).toThrow(expect.objectContaining({ code: 'SF-PACKAGE-SIGNATURE' }));
    }),
    { numRuns: 100 },
  );
});
