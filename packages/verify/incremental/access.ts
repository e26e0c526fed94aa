import { FALSE, type Node } from '../diagram/diagrams.ts';
import type { Header, Headers } from './headers.ts';
import type { AccessRule, Change } from './rules.ts';

export const DENY = 0;
export const PERMIT = 1;

interface Entry {
  readonly rule: AccessRule;
  readonly match: Node;
  /** The packets for which this entry decides. */
  hit: Node;
}

const behaviourOf = ({ action }: AccessRule) => (action === 'permit' ? PERMIT : DENY);

/** One access list: a new rule takes packets from the rules below it, and gives them back when it goes. */
export class AccessList {
  readonly #headers: Headers;
  /** The highest priority first. */
  readonly #entries: Entry[] = [];

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  insert(rule: AccessRule): readonly Change[] {
    const { diagrams } = this.#headers;
    const match = this.#headers.match(rule);
    const lower = this.#entries.findIndex((entry) => entry.rule.priority < rule.priority);
    const at = lower < 0 ? this.#entries.length : lower;
    let left = match;
    for (let i = 0; i < at && left !== FALSE; i += 1) left = diagrams.minus(left, this.#entries[i]!.match);
    const added: Entry = { rule, match, hit: left };
    const changes: Change[] = [];
    const to = behaviourOf(rule);
    for (let i = at; i < this.#entries.length && left !== FALSE; i += 1) {
      const entry = this.#entries[i]!;
      const taken = diagrams.and(left, entry.hit);
      if (taken === FALSE) continue;
      entry.hit = diagrams.minus(entry.hit, taken);
      left = diagrams.minus(left, taken);
      changes.push({ packets: taken, from: behaviourOf(entry.rule), to });
    }
    this.#entries.splice(at, 0, added);
    return [...changes, { packets: left, from: DENY, to }];
  }

  /** Undefined when there is no such rule. */
  remove(rule: AccessRule): readonly Change[] | undefined {
    const { diagrams } = this.#headers;
    const text = textOf(rule);
    const at = this.#entries.findIndex((entry) => textOf(entry.rule) === text);
    if (at < 0) return undefined;
    const [gone] = this.#entries.splice(at, 1);
    const changes: Change[] = [];
    const from = behaviourOf(rule);
    let left = gone!.hit;
    for (let i = at; i < this.#entries.length && left !== FALSE; i += 1) {
      const entry = this.#entries[i]!;
      const given = diagrams.and(left, entry.match);
      if (given === FALSE) continue;
      entry.hit = diagrams.or(entry.hit, given);
      left = diagrams.minus(left, given);
      changes.push({ packets: given, from, to: behaviourOf(entry.rule) });
    }
    return [...changes, { packets: left, from, to: DENY }];
  }

  /** The rule that decides for a packet. */
  lookup(header: Header): AccessRule | undefined {
    return this.#entries.find(({ match }) => this.#headers.contains(match, header))?.rule;
  }
}

function textOf({ action, priority, protocol, source, destination, sourcePort, destinationPort }: AccessRule): string {
  return JSON.stringify([action, priority, protocol, source, destination, sourcePort, destinationPort]);
}
