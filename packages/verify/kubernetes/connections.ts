import { type Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import { matchNode } from '../diagram/match.ts';
import { protocols } from '../ir/fields.ts';
import type { Match } from '../ir/table.ts';
import { ipv4, network } from '../readers/netfilter/addresses.ts';
import { balanced } from '../solve/balanced.ts';
import type { Protocol } from './objects.ts';

/** What says of a packet of IPv4 which connection it is of. Addresses first: sets of ports are shared below them. */
const WIDTHS = { source: 32, destination: 32, protocol: 8, port: 16, sourcePort: 16 } as const;
export type Part = keyof typeof WIDTHS;
const PARTS = Object.keys(WIDTHS) as readonly Part[];
const BITS = PARTS.reduce((sum, part) => sum + WIDTHS[part], 0);

export interface Connection {
  readonly source: bigint;
  readonly destination: bigint;
  readonly protocol: bigint;
  /** Of the destination. */
  readonly port: bigint;
  readonly sourcePort: bigint;
}

export const NUMBERS: Readonly<Record<Protocol, bigint>> = {
  TCP: BigInt(protocols.tcp),
  UDP: BigInt(protocols.udp),
  SCTP: BigInt(protocols.sctp),
};

/** Sets of connections, as decision diagrams: equal sets are equal numbers. */
export class Connections {
  readonly diagrams: Diagrams;
  readonly #bits: Readonly<Record<Part, readonly number[]>>;

  constructor(diagrams: Diagrams) {
    this.diagrams = diagrams;
    let next = 0;
    const bits = PARTS.map((part) => {
      const made = Array.from({ length: WIDTHS[part] }, (_, i) => next + i);
      next += made.length;
      return [part, made] as const;
    });
    this.#bits = Object.fromEntries(bits) as unknown as Record<Part, readonly number[]>;
  }

  matches(part: Part, match: Match): Node {
    return matchNode(this.diagrams, this.#bits[part], match);
  }

  equals(part: Part, value: bigint): Node {
    return this.diagrams.range(this.#bits[part], value, value);
  }

  between(part: Part, low: bigint, high: bigint): Node {
    return low > high ? FALSE : this.diagrams.range(this.#bits[part], low, high);
  }

  oneOf(part: Part, values: readonly bigint[]): Node {
    const sorted = [...new Set(values)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return this.diagrams.oneOf(this.#bits[part], sorted);
  }

  /** `10.0.0.0/8`, bits after the prefix may be set; nothing for what is not of IPv4. */
  within(part: 'source' | 'destination', cidr: string): Node {
    const match = ipv4(cidr.split('/', 1)[0]!) === undefined ? undefined : network(cidr, 'ip');
    return match === undefined ? FALSE : this.matches(part, match);
  }

  any(sets: readonly Node[]): Node {
    return balanced(sets, (a, b) => this.diagrams.or(a, b)) ?? FALSE;
  }

  all(sets: readonly Node[]): Node {
    return balanced(sets, (a, b) => this.diagrams.and(a, b)) ?? TRUE;
  }

  /** `all` of it where `condition` holds, and everything else. */
  where(condition: Node, set: Node): Node {
    return this.diagrams.or(this.diagrams.not(condition), set);
  }

  has(set: Node, one: Connection): boolean {
    const values = new Uint8Array(BITS);
    let at = 0;
    for (const part of PARTS) {
      for (let bit = WIDTHS[part] - 1; bit >= 0; bit -= 1, at += 1)
        values[at] = Number((one[part] >> BigInt(bit)) & 1n);
    }
    return this.diagrams.holds(set, values);
  }

  /** One of them, as people would write it where the set leaves a choice; undefined when there is none. */
  example(set: Node): Connection | undefined {
    if (set === FALSE) return undefined;
    // In the order of what matters most to who reads it.
    const wishes = [
      ...(['source', 'destination'] as const).map((part) => this.between(part, 0x0100_0000n, 0xdfff_ffffn)),
      this.diagrams.not(this.between('source', 0x7f00_0000n, 0x7fff_ffffn)),
      this.diagrams.not(this.between('destination', 0x7f00_0000n, 0x7fff_ffffn)),
      this.equals('protocol', NUMBERS.TCP),
      this.between('port', 1n, 65_535n),
      this.between('sourcePort', 49_152n, 65_535n),
    ];
    let rest = set;
    for (const wish of wishes) {
      const fulfilled = this.diagrams.and(rest, wish);
      if (fulfilled !== FALSE) rest = fulfilled;
    }
    const values = this.diagrams.pick(rest)!;
    const valueOf = (part: Part) =>
      this.#bits[part].reduce((sum, variable) => sum * 2n + (values.get(variable) === true ? 1n : 0n), 0n);
    return {
      source: valueOf('source'),
      destination: valueOf('destination'),
      protocol: valueOf('protocol'),
      port: valueOf('port'),
      sourcePort: valueOf('sourcePort'),
    };
  }
}

/** Whether the packets begin a connection, or are of one that has begun. */
export type ConnectionState = 'new' | 'established';
