import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { type ArchiveEntry, type ArchiveLimits, archiveProblem, isTooLarge, relativeName, textOf } from './entry.ts';

/**
 * APPNOTE.TXT of PKWARE, version 6.3: the central directory at the end says what is in the archive, and where. Read are files
 * that are stored or deflated; refused are encryption, archives in several parts, and those so large that they need zip64.
 * A library would know more ways of packing, and none of what is refused here: names, links, sizes and sums that are wrong.
 */
const LOCAL = 0x0403_4b50;
const CENTRAL = 0x0201_4b50;
const END = 0x0605_4b50;
const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES, COMMENT_MAX] = [30, 46, 22, 0xffff] as const;
const [STORED, DEFLATED] = [0, 8] as const;
/** Bits of the general purpose flag: encrypted, and with strong encryption, and a central directory that is encrypted. */
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
/** Of the system that made the entry: its attributes are those of a file of Unix. */
const UNIX = 3;
const [TYPE_BITS, SYMBOLIC_LINK, REGULAR] = [0o170_000, 0o120_000, 0o100_000] as const;
const inflate = promisify(inflateRaw);

/** A file in the central directory. */
interface Listed {
  readonly path: string;
  readonly method: number;
  readonly sum: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

export function looksLikeZip(bytes: Uint8Array): boolean {
  const magic = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return magic === LOCAL || magic === END;
}

export async function readZip(bytes: Uint8Array, limits: ArchiveLimits): Promise<readonly ArchiveEntry[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const listed = directory(view, bytes, limits);
  noOverlap(listed);
  const entries: ArchiveEntry[] = [];
  let total = 0;
  for (const file of listed) {
    total += file.size;
    if (total > limits.totalBytes) throw archiveProblem(`it unpacks to more than ${limits.totalBytes} bytes`);
    entries.push({ path: file.path, bytes: await contents(view, bytes, file) });
  }
  return entries;
}

function directory(view: DataView, bytes: Uint8Array, limits: ArchiveLimits): readonly Listed[] {
  const end = endOf(view);
  const entries = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  let at = view.getUint32(end + 16, true);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== entries) {
    throw archiveProblem('it is in several parts');
  }
  if (entries === 0xffff || size === 0xffff_ffff || at === 0xffff_ffff) throw archiveProblem('it is a zip64 archive');
  if (at + size > end) throw archiveProblem('its directory is damaged');
  const listed: Listed[] = [];
  const names = new Set<string>();
  for (let i = 0; i < entries; i += 1) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw archiveProblem('its directory is damaged');
    }
    const [nameBytes, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const next = at + CENTRAL_BYTES + nameBytes + extra + comment;
    if (next > end) throw archiveProblem('its directory is damaged');
    const file = listedAt(view, at, textOf(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes)));
    at = next;
    if (file === undefined) continue;
    if (names.has(file.path)) throw archiveProblem(`${file.path} is in it twice`);
    names.add(file.path);
    if (file.size > limits.fileBytes) throw archiveProblem(`${file.path} has more than ${limits.fileBytes} bytes`);
    if (listed.length >= limits.files) throw archiveProblem(`more than ${limits.files} files`);
    listed.push(file);
  }
  return listed;
}

/** A comment of any text may follow, which may look like an end: of those that fit, it is the last one. */
function endOf(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= 0 && at >= last - COMMENT_MAX; at -= 1) {
    if (view.getUint32(at, true) === END && view.getUint16(at + 20, true) === last - at) return at;
  }
  throw archiveProblem('it has no end');
}

/** Undefined for what has no text: folders, and symbolic links, which are not followed in a folder either. */
function listedAt(view: DataView, at: number, name: string): Listed | undefined {
  const flags = view.getUint16(at + 8, true);
  const system = view.getUint16(at + 4, true) >>> 8;
  const type = system === UNIX ? (view.getUint32(at + 38, true) >>> 16) & TYPE_BITS : 0;
  const path = relativeName(name);
  if (name.endsWith('/') || type === SYMBOLIC_LINK) return undefined;
  if (type !== 0 && type !== REGULAR) return undefined;
  if ((flags & ENCRYPTED) !== 0) throw archiveProblem(`${path} is encrypted`);
  const [packed, size, local] = [20, 24, 42].map((field) => view.getUint32(at + field, true)) as [
    number,
    number,
    number,
  ];
  if ([packed, size, local].includes(0xffff_ffff)) throw archiveProblem(`${path} is an entry of zip64`);
  const method = view.getUint16(at + 10, true);
  if (method !== STORED && method !== DEFLATED) throw archiveProblem(`${path} is packed by method ${method}`);
  return { path, method, sum: view.getUint32(at + 16, true), packed, size, at: local };
}

/** A bomb without nesting is files that share what is packed (Fifield, WOOT 2019). */
function noOverlap(listed: readonly Listed[]): void {
  let end = 0;
  for (const { path, at, packed } of listed.toSorted((a, b) => a.at - b.at)) {
    if (at < end) throw archiveProblem(`${path} overlaps with another file`);
    end = at + LOCAL_BYTES + packed;
  }
}

async function contents(view: DataView, bytes: Uint8Array, file: Listed): Promise<Uint8Array> {
  const { path, at, packed, size } = file;
  if (at + LOCAL_BYTES > bytes.length || view.getUint32(at, true) !== LOCAL) {
    throw archiveProblem(`the header of ${path} is damaged`);
  }
  const begin = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (begin + packed > bytes.length) throw archiveProblem(`${path} is longer than the archive`);
  const data = bytes.subarray(begin, begin + packed);
  const unpacked = file.method === STORED ? data : await unpack(data, file);
  if (unpacked.length !== size || crc32(unpacked) !== file.sum) throw archiveProblem(`${path} is damaged`);
  return unpacked;
}

/** No more than the directory says, so that the sum of the sizes is what comes out. */
async function unpack(data: Uint8Array, { path, size }: Listed): Promise<Uint8Array> {
  try {
    return await inflate(data, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    const reason = isTooLarge(error)
      ? `${path} unpacks to more than the ${size} bytes that it says`
      : `${path} is damaged`;
    throw archiveProblem(reason, error);
  }
}
