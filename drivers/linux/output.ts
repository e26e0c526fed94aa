import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { trySystemCall } from '@superfluidity/netlink';

/**
 * What a unit prints goes into a file that it has open itself, so that nobody has to stay alive in between. The file is
 * bounded by freeing its oldest blocks while offsets stay what they are (fallocate(2), FALLOC_FL_PUNCH_HOLE).
 */
const KEEP_BYTES = 4 << 20;
const SLACK_BYTES = 1 << 20;
const READ_BYTES_MAX = 1 << 20;
const BLOCK = 4096;
const PUNCH_HOLE_KEEP_SIZE = 3;

function firstKept(size: number): number {
  return size <= KEEP_BYTES + SLACK_BYTES ? 0 : Math.floor((size - KEEP_BYTES) / BLOCK) * BLOCK;
}

/** Frees what is too old. Cheap when there is nothing to free. */
export function trimOutput(path: string, trimmedTo: number): number {
  if (!existsSync(path)) return trimmedTo;
  const fd = openSync(path, 'r+');
  try {
    const keepFrom = firstKept(fstatSync(fd).size);
    if (keepFrom - trimmedTo < SLACK_BYTES) return trimmedTo;
    trySystemCall('fallocate', fd, PUNCH_HOLE_KEEP_SIZE, 0, keepFrom);
    return keepFrom;
  } finally {
    closeSync(fd);
  }
}

/** Whole lines from byte `offset` on. A last line without an end is left for the next call. */
export function readOutputFile(
  path: string,
  offset: number,
): { readonly lines: readonly string[]; readonly next: number } {
  if (!existsSync(path)) return { lines: [], next: offset };
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, offset, firstKept(size));
    const buffer = Buffer.alloc(Math.max(0, Math.min(READ_BYTES_MAX, size - from)));
    const length = readSync(fd, buffer, 0, buffer.length, from);
    let start = 0;
    // The hole ends inside a line: what is left of that is no line.
    if (from > offset) while (start < length && (start === 0 || buffer[start - 1] !== 0x0a)) start += 1;
    const end = buffer.subarray(0, length).lastIndexOf(0x0a) + 1;
    if (end <= start) return length === READ_BYTES_MAX ? { lines: [], next: from + length } : { lines: [], next: from };
    const text = buffer.toString('utf8', start, end - 1).replace(/\r$/, '');
    return { lines: text.split(/\r?\n/), next: from + end };
  } finally {
    closeSync(fd);
  }
}
