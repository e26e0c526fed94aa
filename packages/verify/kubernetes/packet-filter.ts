import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { SourceRef } from '../ir/source.ts';
import { applies } from '../models/netfilter/box.ts';
import { rangesOf } from '../models/netfilter/match-algebra.ts';
import {
  type Action,
  type Chain,
  ctState,
  type HookName,
  type NfRule,
  type NfTable,
  type Part,
  type Ruleset,
  type Test,
} from '../readers/netfilter/ruleset.ts';
import type { Connection, Connections, ConnectionState, Part as Field } from './connections.ts';

/**
 * What becomes of packets. Each is in `passes`, in `stopped`, or in both: then what is not modelled decides (interfaces, marks,
 * rates), and `doubts` say what.
 */
export interface Treatment {
  readonly passes: Node;
  readonly stopped: Node;
  readonly doubts: readonly string[];
}

/** What a chain makes of all packets, the third being those that come to its end. They may overlap as above. */
interface Summary {
  readonly accepted: Node;
  readonly dropped: Node;
  readonly ended: Node;
}

/** A test: packets for which it may hold, and those for which it does for sure. */
interface Truth {
  readonly may: Node;
  readonly must: Node;
}

const FIELDS: Readonly<Partial<Record<string, Field>>> = {
  'ip.saddr': 'source',
  'ip.daddr': 'destination',
  l4proto: 'protocol',
  dport: 'port',
  sport: 'sourcePort',
};
const CT_STATE_BITS = 8;
const ALWAYS: Truth = { may: TRUE, must: TRUE };
const NEVER: Truth = { may: FALSE, must: FALSE };
const PERHAPS: Truth = { may: TRUE, must: FALSE };

/**
 * The filters of one network of Linux, at one hook, for packets of IPv4 of connections in one state. Each chain is gone through once,
 * for all packets: a thousand pods that lead to the same chain cost what one costs.
 */
export class PacketFilter {
  readonly #space: Connections;
  readonly #state: bigint;
  readonly #doubts = new Set<string>();
  readonly #bases: readonly { readonly table: NfTable; readonly chain: Chain }[];
  readonly #summaries = new Map<Chain, Summary>();
  /** Chains that are being gone through: the kernel refuses rings, and a file may have one. */
  readonly #open = new Set<Chain>();

  constructor(rulesets: readonly Ruleset[], hook: HookName, state: ConnectionState, space: Connections) {
    this.#space = space;
    this.#state = ctState[state];
    this.#bases = rulesets
      .flatMap(({ tables }) => tables)
      .filter(({ family }) => applies(family, 'ip'))
      .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
      .filter(({ chain: { base } }) => base?.hook === hook && base.type === 'filter')
      .toSorted((a, b) => a.chain.base!.priority - b.chain.base!.priority);
  }

  treatment(): Treatment {
    const { diagrams } = this.#space;
    let [passes, stopped]: [Node, Node] = [TRUE, FALSE];
    for (const { table, chain } of this.#bases) {
      const { accepted, dropped, ended } = this.#summary(table, chain);
      const isOpen = chain.base!.policy === 'accept';
      passes = diagrams.and(passes, isOpen ? diagrams.or(accepted, ended) : accepted);
      stopped = diagrams.or(stopped, isOpen ? dropped : diagrams.or(dropped, ended));
    }
    return { passes, stopped, doubts: [...this.#doubts] };
  }

  /** The rules that the packet meets and matches, up to the one that drops it. */
  rulesFor(one: Connection): readonly SourceRef[] {
    const met: SourceRef[] = [];
    for (const { table, chain } of this.#bases) {
      const end = this.#walk(table, chain, one, met);
      if (end === 'drop') return met;
      if (end === undefined && chain.base!.policy === 'drop') return [...met, chain.source];
    }
    return met;
  }

  #summary(table: NfTable, chain: Chain): Summary {
    const known = this.#summaries.get(chain);
    if (known !== undefined) return known;
    if (this.#open.has(chain)) {
      this.#doubts.add(`chain ${chain.name} of table ${table.name} leads to itself`);
      return { accepted: TRUE, dropped: TRUE, ended: TRUE };
    }
    this.#open.add(chain);
    const { diagrams } = this.#space;
    let [accepted, dropped, ended, at]: [Node, Node, Node, Node] = [FALSE, FALSE, FALSE, TRUE];
    for (const { parts } of chain.rules) {
      if (at === FALSE) break;
      const done = this.#rule(table, parts, at);
      accepted = diagrams.or(accepted, done.accepted);
      dropped = diagrams.or(dropped, done.dropped);
      ended = diagrams.or(ended, done.ended);
      at = done.next;
    }
    this.#open.delete(chain);
    const made = { accepted, dropped, ended: diagrams.or(ended, at) };
    this.#summaries.set(chain, made);
    return made;
  }

  #rule(table: NfTable, parts: readonly Part[], from: Node): Summary & { readonly next: Node } {
    const { diagrams } = this.#space;
    let [accepted, dropped, ended, next, at]: [Node, Node, Node, Node, Node] = [FALSE, FALSE, FALSE, FALSE, from];
    for (const part of parts) {
      if (at === FALSE) break;
      if (isTest(part)) {
        const { may, must } = this.#truth(part);
        next = diagrams.or(next, diagrams.minus(at, must));
        at = diagrams.and(at, may);
        continue;
      }
      const done = this.#action(table, part, at);
      accepted = diagrams.or(accepted, done.accepted);
      dropped = diagrams.or(dropped, done.dropped);
      ended = diagrams.or(ended, done.ended);
      next = diagrams.or(next, done.next);
      at = done.stays;
    }
    return { accepted, dropped, ended, next: diagrams.or(next, at) };
  }

  /** `next` goes to the next rule, `stays` to the next part of this one. */
  #action(table: NfTable, action: Action, at: Node): Summary & { readonly next: Node; readonly stays: Node } {
    const { diagrams } = this.#space;
    const nothing = { accepted: FALSE, dropped: FALSE, ended: FALSE, next: FALSE, stays: FALSE };
    switch (action.is) {
      case 'accept':
        return { ...nothing, accepted: at };
      case 'drop':
        return { ...nothing, dropped: at };
      case 'return':
        return { ...nothing, ended: at };
      case 'jump': {
        const chain = table.chains.get(action.chain);
        if (chain === undefined) return this.#doubt(`there is no chain ${action.chain} in table ${table.name}`, at);
        const whole = this.#summary(table, chain);
        const ended = diagrams.and(at, whole.ended);
        return {
          ...nothing,
          accepted: diagrams.and(at, whole.accepted),
          dropped: diagrams.and(at, whole.dropped),
          ...(action.goto ? { ended } : { next: ended }),
        };
      }
      case 'cases':
        return { ...nothing, ...this.#cases(table, action, at) };
      case 'doubt': {
        this.#doubts.add(action.what);
        const may = (outcome: (typeof action.outcomes)[number]) => (action.outcomes.includes(outcome) ? at : FALSE);
        return { ...nothing, accepted: may('accept'), dropped: may('drop'), stays: may('continue') };
      }
      case 'assign':
        // Of what tests of these sets do not look at: its tests are doubts by themselves.
        if (FIELDS[action.key] === undefined && action.key !== 'ct.state') return { ...nothing, stays: at };
        return this.#doubt(`a rule of table ${table.name} changes ${action.key}`, at);
      case 'nat':
      case 'untrack':
        return this.#doubt(`a filter of table ${table.name} has ${action.is}`, at);
    }
  }

  #doubt(what: string, at: Node): Summary & { readonly next: Node; readonly stays: Node } {
    this.#doubts.add(what);
    return { accepted: at, dropped: at, ended: at, next: at, stays: FALSE };
  }

  /** Keys of maps do not overlap. Those with which the same is done are taken together first. */
  #cases(table: NfTable, { cases }: Action & { is: 'cases' }, at: Node): Summary & { readonly next: Node } {
    const space = this.#space;
    const { diagrams } = space;
    const alike = new Map<string, { readonly done: Summary & { readonly next: Node }; readonly truths: Truth[] }>();
    for (const { tests, parts } of cases) {
      const done = this.#rule(table, parts, TRUE);
      const key = [done.accepted, done.dropped, done.ended, done.next].join(' ');
      const known = alike.get(key) ?? { done, truths: [] };
      alike.set(key, known);
      known.truths.push(this.#every(tests));
    }
    const groups = [...alike.values()].map(({ done, truths }) => ({
      done,
      may: diagrams.and(at, space.any(truths.map(({ may }) => may))),
      must: space.any(truths.map(({ must }) => must)),
    }));
    const sum = (pick: (done: Summary & { readonly next: Node }) => Node) =>
      space.any(groups.map(({ done, may }) => diagrams.and(may, pick(done))));
    const none = diagrams.minus(at, space.any(groups.map(({ must }) => must)));
    return {
      accepted: sum(({ accepted }) => accepted),
      dropped: sum(({ dropped }) => dropped),
      ended: sum(({ ended }) => ended),
      next: diagrams.or(
        none,
        sum(({ next }) => next),
      ),
    };
  }

  #every(tests: readonly Test[]): Truth {
    const truths = tests.map((test) => this.#truth(test));
    return {
      may: this.#space.all(truths.map(({ may }) => may)),
      must: this.#space.all(truths.map(({ must }) => must)),
    };
  }

  #truth(test: Test): Truth {
    const { diagrams } = this.#space;
    switch (test.is) {
      case 'match': {
        if (test.key === 'ct.state') {
          const ranges = rangesOf(test.match, CT_STATE_BITS);
          if (ranges === undefined) return this.#perhaps(test.key);
          return ranges.some(([low, high]) => low <= this.#state && this.#state <= high) ? ALWAYS : NEVER;
        }
        const field = FIELDS[test.key];
        if (field === undefined) return this.#perhaps(test.key);
        const node = this.#space.matches(field, test.match);
        return { may: node, must: node };
      }
      case 'family':
        return test.families.includes('ip') ? ALWAYS : NEVER;
      case 'never':
        return NEVER;
      case 'either': {
        const rows = test.of.map((row) => this.#every(row));
        const may = this.#space.any(rows.map((row) => row.may));
        const must = this.#space.any(rows.map((row) => row.must));
        return test.negated ? { may: diagrams.not(must), must: diagrams.not(may) } : { may, must };
      }
      case 'unknown':
        return this.#perhaps(test.what);
      case 'interface':
        return this.#perhaps(`interface ${test.names.join(', ')}`);
      case 'member':
        return this.#perhaps(`set ${test.set}`);
      case 'address type':
      case 'reverse path':
        return this.#perhaps(test.is);
    }
  }

  #perhaps(what: string): Truth {
    this.#doubts.add(`a test of ${what}`);
    return PERHAPS;
  }

  /** Undefined: it comes to the end of the chain. Of what may or may not be, it is taken to be. */
  #walk(table: NfTable, chain: Chain, one: Connection, met: SourceRef[], depth = 0): 'accept' | 'drop' | undefined {
    if (depth > DEPTH_MAX) return undefined;
    for (const rule of chain.rules) {
      const end = this.#step(table, rule, rule.parts, one, met, depth);
      if (end === 'end') return undefined;
      if (end !== 'next') return end;
    }
    return undefined;
  }

  #step(
    table: NfTable,
    rule: NfRule,
    parts: readonly Part[],
    one: Connection,
    met: SourceRef[],
    depth: number,
  ): 'accept' | 'drop' | 'end' | 'next' {
    const matches = (tests: readonly Test[]) => this.#space.has(this.#every(tests).may, one);
    for (const part of parts) {
      if (isTest(part)) {
        if (!matches([part])) return 'next';
        continue;
      }
      if (part.is === 'cases') {
        const found = part.cases.find(({ tests }) => matches(tests));
        return found === undefined ? 'next' : this.#step(table, rule, found.parts, one, met, depth);
      }
      met.push(rule.source);
      if (part.is === 'accept' || part.is === 'drop') return part.is;
      if (part.is === 'return') return 'end';
      if (part.is === 'jump') {
        const chain = table.chains.get(part.chain);
        const end = chain === undefined ? undefined : this.#walk(table, chain, one, met, depth + 1);
        return end ?? (part.goto ? 'end' : 'next');
      }
    }
    return 'next';
  }
}

/** As deep as the kernel lets chains lead (NFT_JUMP_STACK_SIZE). */
const DEPTH_MAX = 16;

const ACTIONS: ReadonlySet<string> = new Set<Action['is']>([
  'accept',
  'drop',
  'return',
  'jump',
  'assign',
  'nat',
  'untrack',
  'cases',
  'doubt',
]);

const isTest = (part: Part): part is Test => !ACTIONS.has(part.is);
