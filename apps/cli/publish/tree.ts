import { append, largest } from '@superfluidity/core';
import { createHash } from 'node:crypto';
import type { DescriptorFile } from '@superfluidity/dialects';

/** What is on the branch below the folder of the service: identifiers of blobs by path from that folder. */
export type OnBranch = ReadonlyMap<string, string>;

/** What was published last: identifiers of blobs by path. It is a file of the folder itself. */
export interface Manifest {
  readonly files: Readonly<Record<string, string>>;
}

export const MANIFEST = '.superfluidity.json';

export interface Change {
  readonly write: readonly DescriptorFile[];
  readonly remove: readonly string[];
  /** Files that somebody else made or changed, which stay as they are. */
  readonly kept: readonly string[];
}

/**
 * What becomes of the folder. Files are ours that were published and are as they were published then; all others are
 * somebody's: an inventory with real hosts in it is not written over, and nothing is removed that was not ours.
 */
export function changeOf(files: readonly DescriptorFile[], there: OnBranch, last: Manifest, force: boolean): Change {
  const wanted = new Map(files.map((file) => [file.path, file]));
  const isOurs = (path: string) => there.get(path) === last.files[path];
  const write: DescriptorFile[] = [];
  const kept: string[] = [];
  const published: Record<string, string> = {};
  const gone = Object.keys(last.files).filter((path) => !wanted.has(path) && there.has(path));
  const remove = gone.filter((path) => isOurs(path) || force);
  // A file where there is a folder, or below of where there is a file, would take its place.
  const staying = new Set(there.keys());
  for (const path of remove) staying.delete(path);
  const longest = largest(files.map(({ path }) => path.length));
  const folders = new Set([...staying].flatMap((path) => foldersOf(path, longest)));
  const isInTheWay = (path: string) =>
    folders.has(path) || foldersOf(path, longest).some((folder) => staying.has(folder));
  for (const file of files) {
    const id = blobId(file.bytes);
    const now = there.get(file.path);
    if (now === id) published[file.path] = id;
    else if (force || (now === undefined ? !isInTheWay(file.path) : isOurs(file.path))) {
      write.push(file);
      published[file.path] = id;
    } else {
      kept.push(file.path);
      // What was ours once is still compared with what it was then.
      const before = last.files[file.path];
      if (before !== undefined) published[file.path] = before;
    }
  }
  append(
    kept,
    gone.filter((path) => !isOurs(path) && !force),
  );
  const manifest = manifestFile(published);
  if (there.get(MANIFEST) !== blobId(manifest.bytes)) write.push(manifest);
  return { write, remove, kept };
}

/** `a/b/c` is in `a` and `a/b`. Those of so many characters at most: others may have names of any length. */
function foldersOf(path: string, longest: number): readonly string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/'); end >= 0 && end <= longest; end = path.indexOf('/', end + 1))
    folders.push(path.slice(0, end));
  return folders;
}

function manifestFile(files: Readonly<Record<string, string>>): DescriptorFile {
  const sorted = Object.fromEntries(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { path: MANIFEST, bytes: Buffer.from(`${JSON.stringify({ files: sorted }, undefined, 2)}\n`) };
}

/** What is no manifest was not ours. */
export function parseManifest(text: string): Manifest {
  try {
    const { files } = JSON.parse(text) as { files?: unknown };
    if (files === null || typeof files !== 'object') return { files: {} };
    const entries = Object.entries(files).filter(([, id]) => typeof id === 'string' && /^[0-9a-f]{40}$/.test(id));
    return { files: Object.fromEntries(entries) as Record<string, string> };
  } catch {
    return { files: {} };
  }
}

/** As git names the content of a file. */
export function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

export interface Commit {
  readonly ref: string;
  /** Absent: the branch begins here. */
  readonly parent?: string;
  /** `Name <address>` */
  readonly by: string;
  readonly seconds: number;
  readonly message: string;
  readonly folder: string;
}

/** A commit in the language of git-fast-import(1): nothing is checked out, so that no link of the branch is followed. */
export function fastImport({ ref, parent, by, seconds, message, folder }: Commit, { write, remove }: Change): Buffer {
  const text = Buffer.from(message);
  const parts: Uint8Array[] = [
    Buffer.from(`commit ${ref}\ncommitter ${by} ${seconds} +0000\ndata ${text.length}\n`),
    text,
    Buffer.from(parent === undefined ? '\n' : `\nfrom ${parent}\n`),
    ...remove.map((path) => Buffer.from(`D ${quoted(`${folder}/${path}`)}\n`)),
  ];
  for (const { path, bytes } of write) {
    parts.push(
      Buffer.from(`M 100644 inline ${quoted(`${folder}/${path}`)}\ndata ${bytes.length}\n`),
      bytes,
      Buffer.from('\n'),
    );
  }
  return Buffer.concat([...parts, Buffer.from('done\n')]);
}

/** As a string of C: what git's languages and lists take. */
function quoted(path: string): string {
  const bytes = [...Buffer.from(path)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\${byte.toString(8).padStart(3, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${bytes.join('')}"`;
}
