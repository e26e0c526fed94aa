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
  readonly #entries = new Map<string, Entry[]>();
  /** Port 0 is where packets without a route stay. */
  readonly #none: { readonly port: 0; hit: Node } = { port: 0, hit: TRUE };

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  insert(rule: ForwardingRule, port: number): readonly Change[] {
    const known = this.#entries.get(keyOf(rule.address, rule.length));
    if (known !== undefined) {
      known.push({ rule, port, hit: FALSE });
      return [];
    }
    const { diagrams } = this.#headers;
    const shorter = this.#nextShorter(rule);
    const hit = diagrams.and(shorter.hit, this.#headers.prefix(rule));
    shorter.hit = diagrams.minus(shorter.hit, hit);
    this.#entries.set(keyOf(rule.address, rule.length), [{ rule, port, hit }]);
    return [{ packets: hit, from: shorter.port, to: port }];
  }

  /** Undefined when there is no such rule. */
  remove(rule: ForwardingRule): readonly Change[] | undefined {
    const key = keyOf(rule.address, rule.length);
    const entries = this.#entries.get(key) ?? [];
    const at = entries.findIndex((entry) => entry.rule.port === rule.port);
    if (at < 0) return undefined;
    const [gone] = entries.splice(at, 1);
    if (entries.length === 0) this.#entries.delete(key);
    if (at > 0) return [];
    const next = entries[0] ?? this.#nextShorter(rule);
    next.hit = this.#headers.diagrams.or(next.hit, gone!.hit);
    return [{ packets: gone!.hit, from: gone!.port, to: next.port }];
  }

  /** The rule that decides for a destination. */
  lookup(destination: number): ForwardingRule | undefined {
    const { width } = this.#headers;
    for (let length = width; length >= 0; length -= 1) {
      const entry = this.#entries.get(keyOf(cut(destination, length, width), length))?.[0];
      if (entry !== undefined) return entry.rule;
    }
    return undefined;
  }

  #nextShorter({ address, length }: ForwardingRule): { readonly port: number; hit: Node } {
    for (let shorter = length - 1; shorter >= 0; shorter -= 1) {
      const entry = this.#entries.get(keyOf(cut(address, shorter, this.#headers.width), shorter))?.[0];
      if (entry !== undefined) return entry;
    }
    return this.#none;
  }
}

const keyOf = (address: number, length: number) => `${address}/${length}`;

function cut(address: number, length: number, width: number): number {
  const block = 2 ** (width - length);
  return Math.floor(address / block) * block;
}
