import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { writeZip } from '@superfluidity/core/archive';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../../context.ts';
import { readCertificate, signCms } from './cms.ts';
import { mismatches, readPackage } from './package.ts';
import { packageProblem } from './problem.ts';

export interface SignOptions {
  readonly key: string;
  readonly certificate: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** Signs the manifest, and by its digests all files: option 1 of SOL004, clause 5.2. A signature that is there is replaced. */
export async function sign(context: Context, path: string, options: SignOptions): Promise<void> {
  const out = options.out ?? path;
  if (options.out !== undefined && existsSync(out) && options.force !== true) {
    throw new SuperfluidityError('SF-CLI-FILE', {
      doing: `write ${out}`,
      reason: 'it is there already: name another, or say --force',
    });
  }
  const { manifest, files, ...rest } = await readPackage(path);
  if (manifest === undefined)
    throw packageProblem('SF-PACKAGE-CONTENT', 'there is no manifest to sign: packages of OSM have none');
  const [wrong] = mismatches({ ...rest, files, manifest });
  if (wrong !== undefined) throw packageProblem('SF-PACKAGE-CONTENT', `what does not match is not signed: ${wrong}`);
  const pem = await pemOf(options.certificate);
  const signature = signCms(Buffer.from(manifest.content), await pemOf(options.key), pem);
  const signed = files.map((file) =>
    file.path === manifest.path ? { path: file.path, bytes: Buffer.from(manifest.content + signature) } : file,
  );
  await writeFile(out, writeZip(signed));
  const signer = readCertificate(pem).subject.replaceAll('\n', ', ');
  await context.show({ ok: true, file: out, signer }, () => `${out}: signed by ${signer}`);
}

/** Keys come from files: arguments are seen by every user of the machine. */
export function pemOf(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw packageProblem('SF-PACKAGE-KEY', `${path} cannot be read`, cause);
  });
}
