import type { Clock } from '@superfluidity/core';
import { LIMITS } from './config.ts';

export interface ConsoleText {
  readonly serverId: string;
  readonly text: string;
}

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
  readonly #recent = new Map<string, { readonly untilMs: number; readonly text: Promise<ConsoleText> }>();

  /** Telemetry reads ten times a second; Nova is asked less often, and sends all of a console each time. */
  async recent(unitId: string, clock: Clock, read: () => Promise<ConsoleText>): Promise<ConsoleText> {
    const now = clock.now();
    const known = this.#recent.get(unitId);
    if (known !== undefined && known.untilMs > now) return known.text;
    for (const [id, { untilMs }] of this.#recent) if (untilMs <= now) this.#recent.delete(id);
    const text = read();
    this.#recent.set(unitId, { untilMs: now + LIMITS.consoleKeptMs, text });
    text.catch(() => this.#recent.delete(unitId));
    return text;
  }

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
    this.#recent.clear();
  }
}

/**
 * How many bytes at the end of the first are the beginning of the second: as many as can be. In one pass over each (Knuth, Morris,
 * Pratt, Fast pattern matching in strings, 1977).
 */
function overlap(first: Buffer, second: Buffer): number {
  if (second.length >= first.length && second.subarray(0, first.length).equals(first)) return first.length;
  const border = new Uint32Array(second.length + 1);
  for (let at = 1, length = 0; at < second.length; at += 1) {
    while (length > 0 && second[at] !== second[length]) length = border[length]!;
    if (second[at] === second[length]) length += 1;
    border[at + 1] = length;
  }
  let length = 0;
  for (const byte of first) {
    while (length > 0 && (length === second.length || byte !== second[length])) length = border[length]!;
    if (byte === second[length]) length += 1;
  }
  return length;
}
