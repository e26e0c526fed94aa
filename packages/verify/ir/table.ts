import type { Expr } from './expression.ts';
import type { Instruction } from './instruction.ts';
import type { SourceRef } from './source.ts';

/**
 * A match-action table, kept as a table: it is never unrolled into nested ifs. Before it runs it is compiled into disjoint
 * classes, one for each behaviour, so that a packet splits by what is done with it and not by the entry that it hits.
 */
export interface Table {
  readonly name: string;
  readonly keys: readonly TableKey[];
  readonly entries: Entries;
  /** What entries do. Entries with the same behaviour share its index. */
  readonly behaviours: readonly Instruction[];
  /** When no entry matches. */
  readonly miss: Instruction;
}

export interface TableKey {
  readonly of: Expr;
  /** Bits. */
  readonly width: number;
  /**
   * When the key cannot be read (a port of an ICMP packet): `fail` is an error of the path; `unmatched` means that only
   * entries match which do not look at this key.
   */
  readonly absent: 'fail' | 'unmatched';
}

/** The large kinds are columns, so that half a million entries cost a few megabytes. */
export type Entries = PrefixEntries | ExactEntries | RuleEntries;

/** One key; the longest prefix wins; of two equal ones the first. Addresses of 32 bits. */
export interface PrefixEntries {
  readonly kind: 'prefixes';
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
  readonly behaviour: Uint32Array;
  readonly lines?: Uint32Array;
  readonly file?: string;
}

/** One key of at most 52 bits: MAC addresses, VLAN identifiers. Of two equal entries the first wins. */
export interface ExactEntries {
  readonly kind: 'exact';
  readonly values: Float64Array;
  readonly behaviour: Uint32Array;
  readonly lines?: Uint32Array;
  readonly file?: string;
}

/** Any number of keys of any width. Ascending order: the first rule that matches wins. */
export interface RuleEntries {
  readonly kind: 'rules';
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** One for each key; undefined is anything. */
  readonly match: readonly (Match | undefined)[];
  readonly behaviour: number;
  readonly source?: SourceRef;
}

export type Match =
  /** Inclusive. */
  | { readonly kind: 'range'; readonly low: bigint; readonly high: bigint }
  | { readonly kind: 'prefix'; readonly value: bigint; readonly length: number }
  | { readonly kind: 'mask'; readonly value: bigint; readonly mask: bigint }
  /** Disjoint, ascending, inclusive. */
  | { readonly kind: 'set'; readonly ranges: readonly (readonly [low: bigint, high: bigint])[] }
  /** Everything that `of` does not match. */
  | { readonly kind: 'other'; readonly of: Match };
