import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Headers } from './headers.ts';
import type { Change, ForwardingRule } from './rules.ts';

interface Entry {
  readonly rule: ForwardingRule;
  readonly port: number;
  /** The packets for which this entry decides. */
  hit: Node;
}

/**
 * The routes of one box. Prefixes are nested: what a new one takes, it takes from the longest shorter one, and gives it back
 * when it goes. So each update is one change.
 */
export class ForwardingTable {
  readonly #headers: Headers;
  /** By length, then by address: the longest match is asked of the lengths that there are. */
  readonly #entries: (Map<number, Entry[]> | undefined)[] = [];
  /** Port 0 is where packets without a route stay. */
  readonly #none: { readonly port: 0; hit: Node } = { port: 0, hit: TRUE };

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  insert(rule: ForwardingRule, port: number): readonly Change[] {
    const ofLength = (this.#entries[rule.length] ??= new Map<number, Entry[]>());
    const known = ofLength.get(rule.address);
    if (known !== undefined) {
      known.push({ rule, port, hit: FALSE });
      return [];
    }
    const { diagrams } = this.#headers;
    const shorter = this.#nextShorter(rule);
    const hit = diagrams.and(shorter.hit, this.#headers.prefix(rule));
    shorter.hit = diagrams.minus(shorter.hit, hit);
    ofLength.set(rule.address, [{ rule, port, hit }]);
    return [{ packets: hit, from: shorter.port, to: port }];
  }

  /** Undefined when there is no such rule. */
  remove(rule: ForwardingRule): readonly Change[] | undefined {
    const ofLength = this.#entries[rule.length];
    const entries = ofLength?.get(rule.address) ?? [];
    const at = entries.findIndex((entry) => entry.rule.port === rule.port);
    if (at < 0) return undefined;
    const [gone] = entries.splice(at, 1);
    if (entries.length === 0) ofLength!.delete(rule.address);
    if (ofLength!.size === 0) this.#entries[rule.length] = undefined;
    if (at > 0) return [];
    const next = entries[0] ?? this.#nextShorter(rule);
    next.hit = this.#headers.diagrams.or(next.hit, gone!.hit);
    return [{ packets: gone!.hit, from: gone!.port, to: next.port }];
  }

  /** The rule that decides for a destination. */
  lookup(destination: number): ForwardingRule | undefined {
    return this.#longest(destination, this.#headers.width)?.rule;
  }

  #nextShorter({ address, length }: ForwardingRule): { readonly port: number; hit: Node } {
    return this.#longest(address, length - 1) ?? this.#none;
  }

  /** The entry of the longest prefix of the address, of at most so many bits. */
  #longest(address: number, bits: number): Entry | undefined {
    const { width } = this.#headers;
    for (let length = bits; length >= 0; length -= 1) {
      const ofLength = this.#entries[length];
      if (ofLength === undefined) continue;
      const block = 2 ** (width - length);
      const entry = ofLength.get(Math.floor(address / block) * block)?.[0];
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}
