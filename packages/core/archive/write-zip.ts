import { crc32, deflateRawSync } from 'node:zlib';
import { type ArchiveEntry, relativeName } from './entry.ts';

/**
 * A zip archive (APPNOTE.TXT 6.3) that is the same for the same files: sorted by name, all of the first moment that zip
 * knows, deflated where that is shorter.
 */
export function writeZip(files: readonly ArchiveEntry[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const { path, bytes } of byName(files)) {
    const name = Buffer.from(relativeName(path));
    const deflated = deflateRawSync(bytes, { level: 9 });
    const isShorter = deflated.length < bytes.length;
    const data = isShorter ? deflated : bytes;
    // What both headers say alike, from the version that is needed to the length of the name.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8, 2);
    common.writeUInt16LE(isShorter ? 8 : 0, 4);
    common.writeUInt16LE(FIRST_DAY, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    locals.push(Buffer.from('PK\u0003\u0004'), common, name, Buffer.from(data));
    const where = Buffer.alloc(14);
    where.writeUInt32LE(REGULAR_FILE, 6);
    where.writeUInt32LE(at, 10);
    centrals.push(Buffer.from('PK\u0001\u0002'), Buffer.from([20, UNIX]), common, where, name);
    at += 4 + common.length + name.length + data.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** Names are UTF-8. */
const UTF8 = 0x0800;
/** 1980-01-01, the first day that MS-DOS knows. */
const FIRST_DAY = 0x21;
const UNIX = 3;
const REGULAR_FILE = 0o100_644 * 0x1_0000;

/** In the order of code units, which no locale changes. */
export function byName(files: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
