import { gzipSync } from 'node:zlib';
import { type ArchiveEntry, relativeName } from './entry.ts';
import { byName } from './write-zip.ts';

const BLOCK = 512;

/** A tar archive (POSIX pax), packed with gzip, that is the same for the same files: sorted, without times and owners. */
export function writeTarGz(files: readonly ArchiveEntry[]): Uint8Array {
  const blocks = byName(files).flatMap(({ path, bytes }) => {
    const name = relativeName(path);
    const isLong = Buffer.byteLength(name) > 100;
    const record = isLong ? paxRecord('path', name) : undefined;
    const head = record === undefined ? [] : entry('pax/path', Buffer.from(record), 'x');
    return [...head, ...entry(isLong ? shortened(name) : name, bytes, '0')];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 });
}

/** The name that those see who do not read the record before. */
function shortened(name: string): string {
  return Buffer.from(name)
    .subarray(-96)
    .toString('latin1')
    .replace(/[^\w./-]/g, '_')
    .replace(/^\/+/, '');
}

function entry(name: string, bytes: Uint8Array, type: string): readonly Uint8Array[] {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, '0'), at);
  header.write(name, 0, 100);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(0, 136, 12);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
}

/** `length key=value\n`: the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + `${length}`.length !== length) length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}
