import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** A reader of tar archives as image layers use them: ustar with pax and GNU long names (POSIX.1-2017, pax). */

export type TarType = 'file' | 'link' | 'symlink' | 'folder' | 'other';

export interface TarEntry {
  readonly path: string;
  readonly type: TarType;
  /** Target of a link. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** The content; read it to its end before the next entry is asked for. */
  readonly content: AsyncIterable<Buffer>;
}

const BLOCK = 512;
const ENTRIES_MAX = 1_000_000;
const HEADER_BYTES_MAX = 1 << 20;
const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'folder',
};

function broken(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-LINUX-IMAGE', { doing: 'read a tar archive', reason });
}

/** Bytes on demand from a stream of chunks. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `max` bytes, whatever is there; empty at the end. */
  async some(max: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return Buffer.alloc(0);
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, max);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part = await this.some(missing);
      if (part.length === 0) throw broken('the archive ends in the middle of an entry');
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

function textField(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

/** Octal, or base 256 when the first bit is set (GNU). */
function numberField(block: Buffer, start: number, length: number): number {
  if ((block[start]! & 0x80) === 0) return Number.parseInt(textField(block, start, length).trim() || '0', 8);
  let value = block[start]! & 0x7f;
  for (let i = 1; i < length; i += 1) value = value * 256 + block[start + i]!;
  return value;
}

function checkHeader(block: Buffer): void {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i += 1) if (i < 148 || i >= 156) sum += block[i]!;
  if (sum !== numberField(block, 148, 8)) throw broken('the checksum of a header is wrong');
}

/** Records of a pax header: `LENGTH KEY=VALUE\n`, where the length counts the whole record. */
function paxRecords(data: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space === -1 ? 0 : Number(data.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at || at + length > data.length)
      throw broken('a pax record is malformed');
    const [key, ...value] = data.toString('utf8', space + 1, at + length - 1).split('=');
    records.set(key!, value.join('='));
    at += length;
  }
  return records;
}

export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;
  let pax: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (let entries = 0; entries < ENTRIES_MAX; entries += 1) {
    const first = await reader.some(BLOCK);
    if (first.length === 0) return;
    const block = first.length === BLOCK ? first : Buffer.concat([first, await reader.exactly(BLOCK - first.length)]);
    if (block.every((byte) => byte === 0)) return;
    checkHeader(block);
    const kind = String.fromCharCode(block[156]!);
    const size = Number(pax.get('size') ?? numberField(block, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw broken('the size of an entry is not a number');
    if ('xgLK'.includes(kind)) {
      if (size > HEADER_BYTES_MAX) throw broken('an extended header is too long');
      const data = await reader.exactly(size);
      await reader.exactly(padding(size));
      if (kind === 'x') pax = paxRecords(data);
      else if (kind === 'L') longName = textField(data, 0, data.length);
      else if (kind === 'K') longTarget = textField(data, 0, data.length);
      continue;
    }
    const prefix =
      block.toString('latin1', 257, 262) === 'ustar' && block[263] === 0x30 ? textField(block, 345, 155) : '';
    const name = textField(block, 0, 100);
    const type = TYPES[kind] ?? 'other';
    let left = type === 'file' || type === 'other' ? size : 0;
    const content = (async function* () {
      while (left > 0) {
        const part = await reader.some(left);
        if (part.length === 0) throw broken('the archive ends in the middle of a file');
        left -= part.length;
        yield part;
      }
    })();
    const stored = left;
    yield {
      path: pax.get('path') ?? longName ?? (prefix === '' ? name : `${prefix}/${name}`),
      type,
      target: pax.get('linkpath') ?? longTarget ?? textField(block, 157, 100),
      mode: numberField(block, 100, 8) & 0o7777,
      uid: Number(pax.get('uid') ?? numberField(block, 108, 8)),
      gid: Number(pax.get('gid') ?? numberField(block, 116, 8)),
      size: left,
      content,
    };
    while (left > 0) left -= (await reader.some(left)).length || ended();
    if (stored > 0) await reader.exactly(padding(stored));
    [pax, longName, longTarget] = [new Map(), undefined, undefined];
  }
  throw broken(`more than ${ENTRIES_MAX} entries`);
}

function ended(): never {
  throw broken('the archive ends in the middle of a file');
}
