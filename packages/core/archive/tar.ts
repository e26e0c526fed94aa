import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  type ArchiveEntry,
  type ArchiveLimits,
  archiveProblem,
  isTooLarge,
  NAME_MAX,
  relativeName,
  textOf,
} from './entry.ts';

const BLOCK = 512;
const HARD_LINK = '1';
/** Symbolic links, which are not followed in a folder either; devices, folders, pipes; what pax says of all files. */
const WITHOUT_TEXT = new Set(['2', '3', '4', '5', '6', 'g']);
const inflate = promisify(gunzip);

/** The files of a tar archive, packed with gzip or not. */
export async function readTar(bytes: Uint8Array, limits: ArchiveLimits): Promise<readonly ArchiveEntry[]> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return filesOf(isGzip ? await unpack(bytes, limits.totalBytes) : bytes, limits);
}

async function unpack(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: most });
  } catch (error) {
    throw archiveProblem(
      isTooLarge(error) ? `it unpacks to more than ${most} bytes` : 'what gzip packed is damaged',
      error,
    );
  }
}

/**
 * POSIX.1-2024, pax: a header of 512 bytes and the contents, padded to 512, until a header of zeros. Long names are in records
 * of pax or of GNU tar before the entry. Names never lead to a file here: they are names of boxes.
 */
function filesOf(bytes: Uint8Array, limits: ArchiveLimits): readonly ArchiveEntry[] {
  const files: ArchiveEntry[] = [];
  let longName: string | undefined;
  let at = 0;
  let total = 0;
  while (at < bytes.length) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw archiveProblem('it ends within a header');
    if (header.every((byte) => byte === 0)) return files;
    if (checksum(header) !== octal(header, 148, 8)) throw archiveProblem(`the header at byte ${at} is damaged`);
    const size = octal(header, 124, 12);
    const begin = at + BLOCK;
    if (begin + size > bytes.length) throw archiveProblem(`the entry at byte ${at} is longer than the archive`);
    const contents = bytes.subarray(begin, begin + size);
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'L') longName = nameIn(textOf(contents.subarray(0, NAME_MAX)));
    // The end of a long link: that of a symbolic one is not needed, and that of another is not found.
    else if (type === 'K') continue;
    else if (type === 'x') longName = paxPath(contents) ?? longName;
    else {
      const name = longName ?? shortName(header);
      longName = undefined;
      if (WITHOUT_TEXT.has(type)) continue;
      if (type !== '0' && type !== '\0' && type !== HARD_LINK) throw archiveProblem(`${name} is of type '${type}'`);
      if (size > limits.fileBytes) throw archiveProblem(`${name} has more than ${limits.fileBytes} bytes`);
      const path = relativeName(name);
      if (files.length >= limits.files) throw archiveProblem(`more than ${limits.files} files`);
      const bytesOf = type === HARD_LINK ? linked(header, files) : contents;
      total += bytesOf.length;
      if (total > limits.totalBytes) throw archiveProblem(`it unpacks to more than ${limits.totalBytes} bytes`);
      files.push({ path, bytes: bytesOf });
    }
  }
  throw archiveProblem('it has no end');
}

/** A file with two names is in an archive once. */
function linked(header: Uint8Array, files: readonly ArchiveEntry[]): Uint8Array {
  const to = relativeName(nameIn(textOf(header.subarray(157, 257))));
  const file = files.find(({ path }) => path === to);
  if (file === undefined) throw archiveProblem(`it has a link to '${to}', which is not before it`);
  return file.bytes;
}

/** Up to the zero that ends it. */
function nameIn(field: string): string {
  const zero = field.indexOf('\0');
  return zero < 0 ? field : field.slice(0, zero);
}

function shortName(header: Uint8Array): string {
  const name = nameIn(textOf(header.subarray(0, 100)));
  const isUstar = textOf(header.subarray(257, 263)) === 'ustar\0';
  const prefix = isUstar ? nameIn(textOf(header.subarray(345, 500))) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, ended by a space or a zero; sizes of 8 GiB and more, which GNU tar writes in binary, are none. */
function octal(header: Uint8Array, from: number, length: number): number {
  const digits = nameIn(textOf(header.subarray(from, from + length))).trim();
  if (!/^[0-7]{1,12}$/.test(digits)) throw archiveProblem('a number in a header is not octal');
  return Number.parseInt(digits, 8);
}

/** The sum of all bytes, those of the sum itself as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

/** Records are `length key=value\n`; the length counts itself. */
function paxPath(contents: Uint8Array): string | undefined {
  let path: string | undefined;
  let at = 0;
  while (at < contents.length) {
    const head = /^([1-9]\d{0,6}) /.exec(textOf(contents.subarray(at, at + 8)));
    const length = Number(head?.[1] ?? 0);
    if (head === null || length <= head[0].length || at + length > contents.length) {
      throw archiveProblem('a record of pax is damaged');
    }
    const record = textOf(contents.subarray(at + head[0].length, at + length - 1));
    if (record.startsWith('path=')) {
      path = record.slice('path='.length);
      if (path.length > NAME_MAX) throw archiveProblem('a name is too long');
    }
    at += length;
  }
  return path;
}
