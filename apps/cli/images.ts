import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '@superfluidity/core';
import type { readSource } from './source.ts';
import { pathsInArchives } from './source.ts';

type Files = Exclude<Awaited<ReturnType<typeof readSource>>, { descriptor: string }>;

/**
 * Images that a descriptor names and that are neither beside it nor in its archive: only here are both at hand, since a
 * server is sent the descriptor alone.
 */
export async function missingImages(inputs: readonly string[], source: Files): Promise<readonly Problem[]> {
  const [{ readDescriptor }, { checkImages }] = await Promise.all([
    import('@superfluidity/dialects'),
    import('@superfluidity/model'),
  ]);
  const files = source.files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') }));
  const { service, locate } = readDescriptor(files);
  if (service === undefined) return [];
  const packed = await pathsInArchives(inputs);
  const problems = checkImages(service, (path) => partOf(packed, path) ?? onDisk(join(source.baseFolder ?? '.', path)));
  return problems.map((problem) => {
    const position = locate?.(problem.path);
    return position === undefined ? problem : { ...problem, position };
  });
}

function partOf(packed: readonly string[], path: string): 'file' | 'folder' | undefined {
  const plain = path.replace(/^\.\/|\/$/g, '');
  if (packed.includes(plain)) return 'file';
  return packed.some((one) => one.startsWith(`${plain}/`)) ? 'folder' : undefined;
}

function onDisk(path: string): 'file' | 'folder' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : found.isDirectory() ? 'folder' : 'file';
}
