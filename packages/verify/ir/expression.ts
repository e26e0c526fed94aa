/**
 * Values and conditions of the intermediate representation: SEFL (Stoenescu et al., "Symnet: scalable symbolic execution
 * for modern networks", SIGCOMM 2016) made bit-exact. All values are unsigned, of a fixed width in bits, and wrap around.
 */

/** A place that holds a value: a named piece of metadata, or bits of the packet at an offset from a tag. */
export type Location = Meta | Field;

/** `box` makes it local to that box: other boxes neither see nor overwrite it. */
export interface Meta {
  readonly kind: 'meta';
  readonly name: string;
  readonly box?: string;
}

export interface Field {
  readonly kind: 'field';
  /** `L2`, `L3`, `L4`, ... : created by `createTag`, moved by encapsulation. */
  readonly tag: string;
  /** Bits from the tag; may be negative. */
  readonly offset: number;
  /** Bits. */
  readonly width: number;
  /** `IPv4.src`, for people and as the BDD variable group; two names for the same bits are the same place. */
  readonly name?: string;
}

export type Expr =
  | { readonly kind: 'const'; readonly value: bigint; readonly width: number }
  /** Fails the path when the location is not allocated or has no value. */
  | { readonly kind: 'read'; readonly from: Location }
  /** A new symbol each time it is evaluated, within inclusive ranges if given. `name` is for people. */
  | { readonly kind: 'fresh'; readonly name: string; readonly width: number; readonly ranges?: Ranges }
  /** Both sides have the same width; the result wraps around (modulo 2^width). */
  | { readonly kind: 'binary'; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'not'; readonly of: Expr }
  /** Logical shift by a constant number of bits. */
  | { readonly kind: 'shift'; readonly op: 'left' | 'right'; readonly of: Expr; readonly by: number }
  /** Bits `high` down to `low`, both inclusive, bit 0 the least significant. */
  | { readonly kind: 'slice'; readonly of: Expr; readonly high: number; readonly low: number }
  /** Most significant part first. */
  | { readonly kind: 'concat'; readonly parts: readonly Expr[] }
  /** Zeros in front. */
  | { readonly kind: 'extend'; readonly of: Expr; readonly width: number };

export type BinaryOp = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'mul';

/** Inclusive, disjoint, ascending. */
export type Ranges = readonly (readonly [low: bigint, high: bigint])[];

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** `all` and `any` are evaluated from left to right and stop early: `proto == 6 && tcp.dst == 80` never reads a port of UDP. */
export type Condition =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'compare'; readonly op: CompareOp; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'within'; readonly of: Expr; readonly ranges: Ranges }
  /** `(of & mask) == value`. */
  | { readonly kind: 'masked'; readonly of: Expr; readonly value: bigint; readonly mask: bigint }
  /** The location is allocated and has a value. */
  | { readonly kind: 'exists'; readonly at: Location }
  /** The packet is at that port: `port == cpu` of NetCTL. */
  | { readonly kind: 'at'; readonly ports: readonly string[] }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'negation'; readonly of: Condition };

export const always: Condition = { kind: 'always' };
export const never: Condition = { kind: 'never' };

export function meta(name: string, box?: string): Meta {
  return box === undefined ? { kind: 'meta', name } : { kind: 'meta', name, box };
}

export function constant(value: bigint | number, width: number): Expr {
  return { kind: 'const', value: BigInt(value), width };
}

export function read(from: Location): Expr {
  return { kind: 'read', from };
}

export function fresh(name: string, width: number, ranges?: Ranges): Expr {
  return ranges === undefined ? { kind: 'fresh', name, width } : { kind: 'fresh', name, width, ranges };
}

export function compare(left: Expr, op: CompareOp, right: Expr): Condition {
  return { kind: 'compare', op, left, right };
}

export function within(of: Expr, ranges: Ranges): Condition {
  return { kind: 'within', of, ranges };
}

export function masked(of: Expr, value: bigint, mask: bigint): Condition {
  return { kind: 'masked', of, value, mask };
}

export function all(...of: readonly Condition[]): Condition {
  return of.length === 1 ? of[0]! : { kind: 'all', of };
}

export function any(...of: readonly Condition[]): Condition {
  return of.length === 1 ? of[0]! : { kind: 'any', of };
}

export function negation(of: Condition): Condition {
  return { kind: 'negation', of };
}
