import { all, masked, negation, type Condition, type Expr, read } from '../../ir/expression.ts';
import { DATA, hasHeader, type HeaderName, placed } from './headers.ts';
import { fields, headerBits } from '../../ir/fields.ts';

/** A clause of Classifier: bytes at an offset, and which of their bits count. */
export interface Clause {
  readonly offset: number;
  readonly value: readonly number[];
  readonly mask: readonly number[];
  readonly negated: boolean;
}

/** `12/0800 !20/0a00????%ffff0000`; "-" is every packet. Undefined when the text is not a pattern. */
export function readPattern(text: string): readonly Clause[] | undefined {
  if (text === '-') return [];
  const clauses = text.split(' ').map(readClause);
  return clauses.some((clause) => clause === undefined) ? undefined : (clauses as Clause[]);
}

function readClause(text: string): Clause | undefined {
  const parts = /^(!?)(\d{1,5})\/([0-9a-fA-F?]{2,512})(?:%([0-9a-fA-F]{2,512}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, not, offset, digits = '', bits] = parts;
  if (digits.length % 2 !== 0 || (bits !== undefined && bits.length !== digits.length)) return undefined;
  const value: number[] = [];
  const mask: number[] = [];
  for (let i = 0; i < digits.length; i += 2) {
    const pair = digits.slice(i, i + 2);
    const wild = Number.parseInt(pair.replace(/[^?]/g, 'f').replaceAll('?', '0'), 16);
    const asked = bits === undefined ? 0xff : Number.parseInt(bits.slice(i, i + 2), 16);
    mask.push(wild & asked);
    value.push(Number.parseInt(pair.replaceAll('?', '0'), 16) & wild & asked);
  }
  return { offset: Number(offset), value, mask, negated: not === '!' };
}

/** The headers that a packet may have from the data pointer on, each with where it begins, in bits. */
export type Stack = readonly (readonly [HeaderName, base: number])[];

const transports: readonly (readonly HeaderName[])[] = [['TCP'], ['UDP'], ['ICMP'], ['SCTP'], []];

function stacks(): readonly Stack[] {
  const found: Stack[] = [];
  const links: readonly (readonly [Stack, bits: number])[] = [
    [[], 0],
    [[['Ether', 0]], headerBits.ether],
    [
      [
        ['Ether', 0],
        ['Vlan', 0],
      ],
      headerBits.tagged,
    ],
  ];
  for (const [link, bits] of links) {
    for (const [network, length] of [
      ['IPv4', headerBits.ipv4],
      ['IPv6', headerBits.ipv6],
    ] as const)
      for (const transport of transports)
        found.push([...link, [network, bits], ...transport.map((name) => [name, bits + length] as const)]);
    found.push([...link, ['Arp', bits]]);
    if (link.length > 0) found.push(link);
  }
  // Those with more headers first: a packet of TCP is also one of IPv4.
  return found.toSorted((a, b) => b.length - a.length);
}

export const knownStacks = stacks();

export function hasStack(stack: Stack): Condition {
  return all(...stack.map(([header, base]) => hasHeader(header, DATA, base)));
}

/** Undefined when the pattern looks at bytes that none of these headers has, and nothing else decides: nobody knows then. */
export function patternCondition(pattern: readonly Clause[], stack: Stack): Condition | undefined {
  const clauses = pattern.map((clause) => clauseCondition(clause, stack));
  if (clauses.includes(undefined)) return undefined;
  return all(...clauses.filter((clause) => clause !== undefined));
}

function clauseCondition(clause: Clause, stack: Stack): Condition | undefined {
  const conditions: Condition[] = [];
  let open = clause.mask.reduce((sum, byte) => sum + countOnes(byte), 0);
  for (const [header, base] of stack) {
    for (const at of Object.values(fields)) {
      if (!at.name!.startsWith(`${header}.`)) continue;
      const [value, mask] = bitsOf(clause, base + at.offset, at.width);
      if (mask === 0n) continue;
      open -= countOnes(mask);
      const of: Expr = read(placed(at.name!, DATA, base));
      conditions.push(masked(of, value, mask));
    }
  }
  if (open > 0) return undefined;
  const matches = all(...conditions);
  return clause.negated ? negation(matches) : matches;
}

function countOnes(bits: number | bigint): number {
  return bits.toString(2).replaceAll('0', '').length;
}

/** The bits of the clause that fall on a field, and which of them count. */
function bitsOf({ offset, value, mask }: Clause, start: number, width: number): readonly [bigint, bigint] {
  let [found, counted] = [0n, 0n];
  for (let bit = start; bit < start + width; bit += 1) {
    const index = (bit >> 3) - offset;
    const shift = 7 - (bit & 7);
    const inside = index >= 0 && index < value.length;
    found = (found << 1n) | (inside ? BigInt((value[index]! >> shift) & 1) : 0n);
    counted = (counted << 1n) | (inside ? BigInt((mask[index]! >> shift) & 1) : 0n);
  }
  return [found, counted];
}
