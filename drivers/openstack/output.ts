import { LIMITS } from './config.ts';

interface Seen {
  /** Bytes of the console that are not kept any more. */
  readonly before: number;
  readonly bytes: Buffer;
}

/**
 * Offsets into a console of which Nova keeps the end only. What was seen last is laid over what is there now: so offsets stay
 * what they are when the beginning is thrown away. After a restart they count from what is kept then.
 */
export class Consoles {
  readonly #seen = new Map<string, Seen>();

  /** Whole lines from byte `offset` on. */
  read(serverId: string, text: string, offset: number): { readonly lines: readonly string[]; readonly next: number } {
    const bytes = Buffer.from(text, 'utf8');
    const known = this.#seen.get(serverId);
    const before = known === undefined ? 0 : known.before + (known.bytes.length - overlap(known.bytes, bytes));
    this.#seen.delete(serverId);
    if (this.#seen.size >= LIMITS.consoleUnits) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(serverId, { before, bytes });

    // One who asks for what will only come is given nothing, and keeps the place.
    const from = Math.max(0, offset - before);
    if (from >= bytes.length) return { lines: [], next: Math.max(offset, before) };
    let start = from;
    // What is left of a line whose beginning is gone is no line.
    if (offset < before && before > 0) start = bytes.indexOf(0x0a, from) + 1;
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end <= start) return { lines: [], next: before + start };
    const lines = bytes
      .subarray(start, end - 1)
      .toString('utf8')
      .split('\n')
      .map((line) => line.replace(/\r$/, ''));
    return { lines, next: before + end };
  }

  forget(serverId: string): void {
    this.#seen.delete(serverId);
  }
}

/** How many bytes at the end of the first are the beginning of the second. Those who were cut share all but what was cut. */
function overlap(first: Buffer, second: Buffer): number {
  if (second.length >= first.length && second.subarray(0, first.length).equals(first)) return first.length;
  // The beginning of what is kept now was somewhere in what was kept: a piece of it is looked for.
  const probe = second.subarray(0, Math.min(PROBE_BYTES, second.length));
  if (probe.length === 0) return 0;
  for (let at = first.indexOf(probe); at !== -1; at = first.indexOf(probe, at + 1)) {
    const rest = first.subarray(at);
    if (rest.length <= second.length && second.subarray(0, rest.length).equals(rest)) return rest.length;
  }
  return 0;
}

const PROBE_BYTES = 64;
