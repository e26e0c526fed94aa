import { readDescriptor } from '@superfluidity/dialects';
import type { Context } from '../../context.ts';
import { facts, printable } from '../../print/table.ts';
import { readSourceFiles } from '../../source.ts';
import { mismatches, readPackage } from './package.ts';

/** What a package is, and what is in it. Says nothing of whether it can be trusted: that is `verify`. */
export async function inspect(context: Context, path: string): Promise<void> {
  const read = await readPackage(path);
  const { kind, files, meta, manifest } = read;
  const { service, format, problems } = readDescriptor(await readSourceFiles([path]));
  const value = {
    kind,
    entry: meta['Entry-Definitions'] ?? null,
    dialect: format ?? null,
    service: service?.block.name ?? null,
    version: service?.version ?? null,
    metadata: { ...manifest?.metadata },
    signed: manifest?.signature !== undefined,
    mismatches: mismatches(read).length,
    problems: problems.map(({ code, message }) => ({ code, message })),
    files: files.map((file) => ({ path: file.path, bytes: file.bytes.length })),
  };
  await context.show(value, () =>
    [
      facts([
        ['kind', kind],
        ['entry', value.entry ?? '-'],
        ['dialect', value.dialect ?? 'unknown'],
        ['service', service === undefined ? '-' : `${service.block.name} ${service.version}`],
        ['signed', value.signed ? 'yes' : 'no'],
        ['mismatches', `${value.mismatches}`],
        ...Object.entries(value.metadata),
      ]),
      '',
      ...value.files.map((file) => `${`${file.bytes}`.padStart(10)}  ${printable(file.path)}`),
    ].join('\n'),
  );
}
