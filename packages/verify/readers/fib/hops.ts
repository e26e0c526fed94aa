import type { LineLedger } from '../../read/ledger.ts';
import type { Rows } from './rows.ts';

/** Next hops that are followed to an interface through other routes. */
const RECURSION_MAX = 16;

/** A route whose next hop is on no interface that the line names. */
export interface Recursive {
  readonly row: number;
  readonly hop: number;
}

/** A next hop without an interface is reached as other routes say (RFC 4271, section 5.1.3). */
export function resolveHops(rows: Rows, recursive: readonly Recursive[], ledger: LineLedger): void {
  if (recursive.length === 0) return;
  const matches = new LongestMatches(rows);
  const waiting = new Map(recursive.map(({ row, hop }) => [row, hop]));
  for (const { row, hop } of recursive) {
    let next: number | undefined = hop;
    let target: number | undefined;
    for (let depth = 0; next !== undefined && depth < RECURSION_MAX; depth += 1) {
      const through = matches.of(next, row);
      if (through === undefined) break;
      next = waiting.get(through);
      if (next === undefined) target = rows.target[through];
    }
    if (target === undefined) {
      ledger.notUnderstood(rows.lines[row]!, 'no other route says how its next hop is reached');
      rows.target[row] = rows.to({ kind: 'drop', why: 'no route leads to the next hop' });
    } else rows.target[row] = target;
  }
}

/** Finds rows by length and address: every route of a table may be recursive. */
class LongestMatches {
  /** By length: the first row of an address. */
  readonly #first: (Map<number, number> | undefined)[] = [];
  /** The next row with the same prefix; -1 is none. */
  readonly #next: Int32Array;

  constructor(rows: Rows) {
    this.#next = new Int32Array(rows.size);
    for (let row = rows.size - 1; row >= 0; row -= 1) {
      const ofLength = (this.#first[rows.lengths[row]!] ??= new Map<number, number>());
      const address = rows.addresses[row]!;
      this.#next[row] = ofLength.get(address) ?? -1;
      ofLength.set(address, row);
    }
  }

  /** Of equal ones the first, and never the route itself. */
  of(address: number, not: number): number | undefined {
    for (let length = 32; length >= 0; length -= 1) {
      const block = 2 ** (32 - length);
      const first = this.#first[length]?.get(Math.floor(address / block) * block);
      const row = first === not ? this.#next[not] : first;
      if (row !== undefined && row >= 0) return row;
    }
    return undefined;
  }
}
