import { type Diagrams, type Node, TRUE } from '../diagram/diagrams.ts';
import type { AccessRule, ForwardingRule, MaskedAddress, Range } from './rules.ts';

/** Bits of the fields that rules look at. */
export interface HeaderWidths {
  readonly destination: number;
  readonly source: number;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export const ipv4: HeaderWidths = { destination: 32, source: 32, protocol: 8, sourcePort: 16, destinationPort: 16 };

export type HeaderField = keyof HeaderWidths;
export type Header = Readonly<Record<HeaderField, number>>;

/** What rules match, as diagrams. Destinations come first, which is what most rules look at. */
export class Headers {
  readonly diagrams: Diagrams;
  readonly #widths: HeaderWidths;
  readonly #variables: Readonly<Record<HeaderField, readonly number[]>>;

  constructor(diagrams: Diagrams, widths: HeaderWidths) {
    this.diagrams = diagrams;
    this.#widths = widths;
    let next = 0;
    const variables = (width: number) => Array.from({ length: width }, () => next++);
    this.#variables = {
      destination: variables(widths.destination),
      source: variables(widths.source),
      protocol: variables(widths.protocol),
      sourcePort: variables(widths.sourcePort),
      destinationPort: variables(widths.destinationPort),
    };
  }

  /** Bits of a destination. */
  get width(): number {
    return this.#widths.destination;
  }

  prefix({ address, length }: ForwardingRule): Node {
    const width = this.#widths.destination;
    const mask = ((1n << BigInt(length)) - 1n) << BigInt(width - length);
    return this.diagrams.masked(this.#variables.destination, BigInt(address), mask);
  }

  match({ protocol, source, destination, sourcePort, destinationPort }: AccessRule): Node {
    return [
      this.#range('destinationPort', destinationPort),
      this.#range('sourcePort', sourcePort),
      this.#range('protocol', protocol),
      this.#masked('source', source),
      this.#masked('destination', destination),
    ].reduce((all, part) => this.diagrams.and(all, part), TRUE);
  }

  #range(field: HeaderField, range: Range | undefined): Node {
    if (range === undefined) return TRUE;
    return this.diagrams.range(this.#variables[field], BigInt(range.low), BigInt(range.high));
  }

  #masked(field: HeaderField, address: MaskedAddress | undefined): Node {
    if (address === undefined) return TRUE;
    const mask = ((1n << BigInt(this.#widths[field])) - 1n) & ~BigInt(address.wildcard);
    return this.diagrams.masked(this.#variables[field], BigInt(address.value) & mask, mask);
  }

  /** A packet of the set; undefined when it is empty. */
  pick(packets: Node): Header | undefined {
    const bits = this.diagrams.pick(packets);
    if (bits === undefined) return undefined;
    const value = (field: HeaderField) =>
      this.#variables[field].reduce((sum, variable) => sum * 2 + (bits.get(variable) === true ? 1 : 0), 0);
    return {
      destination: value('destination'),
      source: value('source'),
      protocol: value('protocol'),
      sourcePort: value('sourcePort'),
      destinationPort: value('destinationPort'),
    };
  }

  contains(packets: Node, header: Header): boolean {
    const bits = new Map<number, boolean>();
    for (const field of Object.keys(this.#variables) as HeaderField[]) {
      const variables = this.#variables[field];
      variables.forEach((variable, i) => {
        bits.set(variable, Math.floor(header[field] / 2 ** (variables.length - 1 - i)) % 2 === 1);
      });
    }
    return this.diagrams.contains(packets, (variable) => bits.get(variable)!);
  }
}
