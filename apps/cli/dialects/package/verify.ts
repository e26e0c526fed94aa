import { isSuperfluidityError } from '@superfluidity/core';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import { printable } from '../../print/table.ts';
import { isTrusted, readCertificates, verifyCms } from './cms.ts';
import { mismatches, readPackage, type Package } from './package.ts';
import { pemOf } from './sign.ts';

export interface VerifyOptions {
  /** Certificates in PEM: of those who sign, or of who issues theirs. */
  readonly trust?: string;
  /** Of the signer, where the package does not hold it. */
  readonly certificate?: string;
  readonly requireSignature?: boolean;
}

/** Every mismatch is named. Exits with 0 when all is as it should be, 1 when something is not, 2 when it is no package. */
export async function verify(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const read = await readPackage(path);
  const trusted = options.trust === undefined ? [] : readCertificates((await pemOf(options.trust)).toString());
  const named =
    options.certificate === undefined ? [] : readCertificates((await pemOf(options.certificate)).toString());
  const wrong = [...mismatches(read)];
  let signer: string | undefined;
  let trust: boolean | undefined;
  const { manifest } = read;
  if (manifest?.signature === undefined) {
    if (options.requireSignature === true || options.trust !== undefined) wrong.push('the package is not signed');
  } else {
    try {
      const between = [...named, ...certificatesIn(read)];
      const certificate = verifyCms(Buffer.from(manifest.content), manifest.signature, between);
      signer = certificate.subject.replaceAll('\n', ', ');
      if (options.trust !== undefined) {
        trust = isTrusted(certificate, trusted, between, Date.now());
        if (!trust)
          wrong.push(`the signature is that of ${signer}, which no certificate of ${options.trust} vouches for now`);
      }
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-PACKAGE-SIGNATURE')) throw error;
      wrong.push(`${manifest.path}: ${error.details.reason}`);
    }
  }
  if (wrong.length > 0) process.exitCode = exitCodes.failed;
  const value = {
    ok: wrong.length === 0,
    kind: read.kind,
    files: read.files.length,
    signer: signer ?? null,
    trusted: trust ?? null,
    mismatches: wrong,
  };
  const { style } = context;
  await context.show(value, () => {
    const by =
      signer === undefined
        ? 'not signed'
        : `signed by ${signer}${trust === undefined ? ', whom nobody was asked to trust (--trust)' : ''}`;
    const verdict =
      wrong.length === 0
        ? style.green(`${path}: ${read.files.length} files as they should be, ${by}`)
        : style.red(`${path}: ${wrong.length} mismatches`);
    return [...wrong.map(printable), verdict].join('\n');
  });
}

/** SOL004 lets the certificate stand beside the manifest. */
function certificatesIn({ files, meta }: Package) {
  const name = meta['ETSI-Entry-Certificate'];
  const file = name === undefined ? undefined : files.find(({ path }) => path === name);
  return file === undefined ? [] : readCertificates(new TextDecoder().decode(file.bytes));
}
