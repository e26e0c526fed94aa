/** Archives in the "new ASCII" cpio format, which the kernel unpacks as initial root file system (initramfs buffer format). */

export interface CpioEntry {
  /** Relative to the root, without a leading slash. Folders come before what is in them. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';

export function folder(path: string, mode = 0o755): CpioEntry {
  return { path, mode: S_IFDIR | mode, content: new Uint8Array(0) };
}

export function file(path: string, content: Uint8Array, mode = 0o644): CpioEntry {
  return { path, mode: S_IFREG | mode, content };
}

export function symlink(path: string, target: string): CpioEntry {
  return { path, mode: S_IFLNK | 0o777, content: Buffer.from(target) };
}

function padded(bytes: Uint8Array, length: number): Buffer {
  const padding = (4 - (length % 4)) % 4;
  return Buffer.concat([bytes, Buffer.alloc(padding)]);
}

function record(inode: number, { path, mode, content }: CpioEntry): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = (mode & S_IFDIR) === S_IFDIR ? 2 : 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return Buffer.concat([
    padded(Buffer.concat([header, name]), header.length + name.length),
    padded(content, content.length),
  ]);
}

/** Archives may stand one behind the other: later entries win. */
export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const trailer: CpioEntry = { path: TRAILER, mode: 0, content: new Uint8Array(0) };
  return Buffer.concat([...entries.map((entry, i) => record(i + 1, entry)), record(0, trailer)]);
}
