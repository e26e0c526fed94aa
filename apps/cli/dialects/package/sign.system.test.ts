import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArchive, writeZip } from '@superfluidity/core/archive';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { build } from './build.ts';
import { signCms, splitSigned, verifyCms } from './cms.ts';
import { oid } from './der.ts';
import { packageLimits } from './package.ts';
import { sign } from './sign.ts';
import { recorded } from '../../testing/recorded.ts';
import { verify, type VerifyOptions } from './verify.ts';

const example = fileURLToPath(new URL('../../../../examples/mobile-edge/service.yaml', import.meta.url));
const absent = spawnSync('openssl', ['version']).status === 0 ? '' : ' (skipped: there is no openssl)';
let folder = '';
const at = (name: string) => join(folder, name);
const openssl = (...args: readonly string[]) =>
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-sign-'));
  if (absent !== '') return;
  const self = ['req', '-x509', '-nodes', '-days', '2'];
  openssl(...self, '-newkey', 'rsa:2048', '-subj', '/CN=Root', '-keyout', 'root.key', '-out', 'root.pem');
  openssl(
    ...self,
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-subj',
    '/O=Example/CN=Signer',
    '-keyout',
    'ec.key',
    '-out',
    'ec.pem',
  );
  openssl('req', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=Below', '-keyout', 'below.key', '-out', 'below.csr');
  openssl(
    'x509',
    '-req',
    '-in',
    'below.csr',
    '-CA',
    'root.pem',
    '-CAkey',
    'root.key',
    '-days',
    '2',
    '-out',
    'below.pem',
  );
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const content = Buffer.from('metadata:\n  x: 1\n\nSource: a\n');

describe.skipIf(absent !== '')(`signatures${absent}`, () => {
  test.each(['root', 'ec', 'below'])('of %s are valid for openssl, and for us', (name) => {
    const [key, certificate] = [readFileSync(at(`${name}.key`)), readFileSync(at(`${name}.pem`))];
    const pem = signCms(content, key, certificate);
    writeFileSync(at('signature.pem'), pem);
    writeFileSync(at('content'), content);
    const trust = name === 'below' ? 'root.pem' : `${name}.pem`;
    openssl(
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'PEM',
      '-in',
      'signature.pem',
      '-content',
      'content',
      '-CAfile',
      trust,
      '-purpose',
      'any',
      '-out',
      'verified',
    );
    expect(readFileSync(at('verified'))).toEqual(content);
    expect(verifyCms(content, pem).subject).toContain('CN=');
    expect(() => verifyCms(Buffer.concat([content, Buffer.from(' ')]), pem)).toThrow(/is not what is there/);
  });

  test.each([
    ['root', 'sha256'],
    ['ec', 'sha512'],
    ['below', 'sha384'],
  ])('that openssl makes with %s and %s are valid', (name, digest) => {
    writeFileSync(at('content'), content);
    openssl(
      'cms',
      '-sign',
      '-binary',
      '-md',
      digest,
      '-in',
      'content',
      '-signer',
      `${name}.pem`,
      '-inkey',
      `${name}.key`,
      '-outform',
      'PEM',
      '-out',
      'theirs.pem',
    );
    expect(verifyCms(content, readFileSync(at('theirs.pem'), 'utf8')).subject).toContain('CN=');
  });

  test('a flipped bit anywhere in it makes it none', () => {
    const pem = signCms(content, readFileSync(at('ec.key')), readFileSync(at('ec.pem')));
    const raw = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    const broken = (i: number) => {
      const bytes = Buffer.from(raw);
      bytes[i]! ^= 0x01;
      return `-----BEGIN CMS-----\n${bytes.toString('base64')}\n-----END CMS-----\n`;
    };
    // Signed are the attributes, which begin with their content type; after them is the signature.
    const signed = raw.lastIndexOf(oid('1.2.840.113549.1.9.3'));
    for (let i = 0; i < raw.length; i += i < signed ? 7 : 1) {
      const expected = { code: expect.stringMatching(/^SF-PACKAGE-(?:SIGNATURE|KEY)$/) };
      const check = () => verifyCms(content, broken(i));
      if (i >= signed) expect(check, `byte ${i}`).toThrow(expect.objectContaining(expected));
      else {
        try {
          check();
        } catch (error) {
          expect(error).toMatchObject(expected);
        }
      }
    }
  });

  const verified = async (name: string, options: VerifyOptions) => {
    const { context, shown } = recorded();
    process.exitCode = 0;
    await verify(context, at(name), options);
    return {
      ...(shown[0] as { mismatches: string[]; signer: string | null; trusted: boolean | null }),
      code: process.exitCode,
    };
  };

  test('a package that is signed is verified, and trusted only where somebody vouches for the signer', async () => {
    const { context } = recorded();
    await build(context, [example], {
      kind: 'csar',
      digest: 'SHA-512',
      provider: 'Example',
      released: '2026-01-31T12:00:00Z',
      out: at('x.csar'),
    });
    expect(await verified('x.csar', { trust: at('root.pem') })).toMatchObject({
      mismatches: ['the package is not signed'],
      code: 1,
    });
    const keys = { key: at('below.key'), certificate: at('below.pem') };
    await sign(context, at('x.csar'), keys);
    expect(await verified('x.csar', {})).toMatchObject({ mismatches: [], trusted: null, signer: 'CN=Below', code: 0 });
    expect(await verified('x.csar', { trust: at('root.pem') })).toMatchObject({
      mismatches: [],
      trusted: true,
      code: 0,
    });
    const other = await verified('x.csar', { trust: at('ec.pem') });
    expect([other.trusted, other.code, other.mismatches]).toEqual([false, 1, [expect.stringContaining('CN=Below')]]);

    // Whoever changes a file and its digest cannot sign.
    const files = await readArchive(readFileSync(at('x.csar')), packageLimits);
    const forged = files.map((file) => {
      if (!file.path.endsWith('.mf')) return file;
      const text = Buffer.from(file.bytes).toString().replace('Example', 'Mallory');
      expect(splitSigned(text).signature).toBeDefined();
      return { path: file.path, bytes: Buffer.from(text) };
    });
    writeFileSync(at('forged.csar'), writeZip(forged));
    const caught = await verified('forged.csar', { trust: at('root.pem') });
    expect([caught.code, caught.mismatches]).toEqual([
      1,
      [expect.stringContaining('what was signed is not what is there')],
    ]);
    await expect(
      sign(context, at('x.csar'), { key: at('ec.key'), certificate: at('below.pem') }),
    ).rejects.toMatchObject({ code: 'SF-PACKAGE-KEY' });
    expect(execFileSync('unzip', ['-tq', at('x.csar')], { encoding: 'utf8' })).toContain('No errors');
  });
});
