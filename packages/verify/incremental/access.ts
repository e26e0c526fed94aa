import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Header, Headers } from './headers.ts';
import type { AccessRule, Change } from './rules.ts';

export const DENY = 0;
export const PERMIT = 1;

interface Deciding {
  readonly match: Node;
  readonly behaviour: typeof DENY | typeof PERMIT;
  /** The packets for which it decides. */
  hit: Node;
}

interface Entry extends Deciding {
  readonly rule: AccessRule;
  /** What a rule that takes it away must say. */
  readonly text: string;
}

const behaviourOf = ({ action }: AccessRule) => (action === 'permit' ? PERMIT : DENY);

/** One access list: a new rule takes packets from the rules below it, and gives them back when it goes. */
export class AccessList {
  readonly #headers: Headers;
  /** The highest priority first. */
  readonly #entries: Entry[] = [];
  /** What no entry matches is denied. */
  readonly #rest: Deciding = { match: TRUE, behaviour: DENY, hit: TRUE };

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  insert(rule: AccessRule): readonly Change[] {
    const { diagrams } = this.#headers;
    const match = this.#headers.match(rule);
    const lower = this.#entries.findIndex((entry) => entry.rule.priority < rule.priority);
    const at = lower < 0 ? this.#entries.length : lower;
    const added: Entry = { rule, text: textOf(rule), match, behaviour: behaviourOf(rule), hit: FALSE };
    const changes: Change[] = [];
    // What it does not take from those below it, those above it keep.
    for (const entry of [...this.#entries.slice(at), this.#rest]) {
      const taken = diagrams.and(match, entry.hit);
      if (taken === FALSE) continue;
      entry.hit = diagrams.minus(entry.hit, taken);
      added.hit = diagrams.or(added.hit, taken);
      changes.push({ packets: taken, from: entry.behaviour, to: added.behaviour });
    }
    this.#entries.splice(at, 0, added);
    return changes;
  }

  /** Undefined when there is no such rule. */
  remove(rule: AccessRule): readonly Change[] | undefined {
    const { diagrams } = this.#headers;
    const text = textOf(rule);
    const at = this.#entries.findIndex((entry) => entry.text === text);
    if (at < 0) return undefined;
    const gone = this.#entries.splice(at, 1)[0]!;
    const changes: Change[] = [];
    let left = gone.hit;
    for (const entry of [...this.#entries.slice(at), this.#rest]) {
      const given = diagrams.and(left, entry.match);
      if (given === FALSE) continue;
      entry.hit = diagrams.or(entry.hit, given);
      left = diagrams.minus(left, given);
      changes.push({ packets: given, from: gone.behaviour, to: entry.behaviour });
      if (left === FALSE) break;
    }
    return changes;
  }

  /** The rule that decides for a packet. */
  lookup(header: Header): AccessRule | undefined {
    return this.#entries.find(({ match }) => this.#headers.contains(match, header))?.rule;
  }
}

function textOf({ action, priority, protocol, source, destination, sourcePort, destinationPort }: AccessRule): string {
  return JSON.stringify([action, priority, protocol, source, destination, sourcePort, destinationPort]);
}
