import { type ArchiveEntry, type ArchiveLimits } from './entry.ts';
import { readTar } from './tar.ts';
import { looksLikeZip, readZip } from './zip.ts';

export type { ArchiveEntry, ArchiveLimits } from './entry.ts';
export { writeTarGz } from './write-tar.ts';
export { writeZip } from './write-zip.ts';

/** Judged by its name, as people do. */
export const isArchiveName = (path: string): boolean => /\.(?:tar|tar\.gz|tgz|zip|csar)$/i.test(path);

/** The files of an archive, judged by its bytes: zip, or tar, packed with gzip or not. */
export async function readArchive(bytes: Uint8Array, limits: ArchiveLimits): Promise<readonly ArchiveEntry[]> {
  return looksLikeZip(bytes) ? readZip(bytes, limits) : readTar(bytes, limits);
}
