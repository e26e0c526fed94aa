import { type Diagrams, FALSE, type Node, TRUE } from '../../diagram/diagrams.ts';

/** A rule of a list in which the first rule that matches wins. */
export interface ListedRule {
  /** The packets that may match, and those that certainly do: a test may be one whose result the rules do not show. */
  readonly upper: Node;
  readonly lower: Node;
  /** What becomes of a packet that matches; undefined when it goes on to the next rule. */
  readonly behaviour: string | undefined;
  /** A packet that goes on may have changed. */
  readonly changes: boolean;
  /** It stays, for other reasons. */
  readonly fixed?: boolean;
}

export interface RuleList {
  readonly diagrams: Diagrams;
  readonly rules: readonly ListedRule[];
  /** All packets there are. */
  readonly packets: Node;
  /** What becomes of a packet that matches no rule. */
  readonly miss: string;
  /** What may have become of packets that went on. */
  readonly changed: (packets: Node) => Node;
}

/**
 * `impossible`: no packet is such that it matches. `shadowed`: earlier rules take all packets that match. `redundant`: packets
 * meet the rule, and without it the same becomes of them.
 */
export type FaultKind = 'impossible' | 'shadowed' | 'redundant';

export interface Fault {
  readonly kind: FaultKind;
  /** Which rules take the packets instead, by their places in the list. None: the end of the list. */
  readonly by: readonly number[];
}

/**
 * The rules that can be taken out, all together, without any packet being treated otherwise. Of those that are left none can
 * be taken out, where every test and every behaviour is known. Forwards, what each rule meets; backwards, what would become
 * of it in the rules that are kept.
 */
export function superfluous({ diagrams, rules, packets, miss, changed }: RuleList): ReadonlyMap<number, Fault> {
  const met: Node[] = [];
  let left = packets;
  for (const { upper, lower, behaviour, changes } of rules) {
    const hit = diagrams.and(left, upper);
    met.push(hit);
    if (behaviour !== undefined) left = diagrams.minus(left, lower);
    else if (changes) left = diagrams.or(left, changed(hit));
  }
  const kinds = new Map<number, FaultKind>();
  /** The packets that behave so from here on. */
  const later = new Map<string, Node>([[miss, TRUE]]);
  for (let i = rules.length - 1; i >= 0; i -= 1) {
    const { upper, lower, behaviour, fixed = false } = rules[i]!;
    if (met[i] === FALSE && !fixed) {
      kinds.set(i, diagrams.and(packets, upper) === FALSE ? 'impossible' : 'shadowed');
      continue;
    }
    // A test whose result the rules do not show may count packets, or remember where they came from.
    const known = behaviour !== undefined && upper === lower && !fixed;
    if (known && diagrams.minus(met[i]!, later.get(behaviour) ?? FALSE) === FALSE) {
      kinds.set(i, 'redundant');
      continue;
    }
    for (const [other, node] of later) if (other !== behaviour) later.set(other, diagrams.minus(node, upper));
    if (behaviour !== undefined) later.set(behaviour, diagrams.or(later.get(behaviour) ?? FALSE, lower));
  }
  return new Map([...kinds].map(([i, kind]) => [i, { kind, by: takers(i, kind) }]));

  function takers(i: number, kind: FaultKind): readonly number[] {
    if (kind === 'impossible') return [];
    const { upper, behaviour } = rules[i]!;
    if (kind === 'redundant') {
      const same = [...rules.keys()].filter((j) => j > i && !kinds.has(j) && rules[j]!.behaviour === behaviour);
      return cover(met[i]!, same).by;
    }
    const earlier = [...rules.keys()].slice(0, i).filter((j) => rules[j]!.behaviour !== undefined);
    const possible = diagrams.and(packets, upper);
    const kept = cover(
      possible,
      earlier.filter((j) => !kinds.has(j)),
    );
    return kept.left === FALSE ? kept.by : cover(possible, earlier).by;
  }

  /** Few rules that take the packets: one alone where there is one. */
  function cover(all: Node, places: readonly number[]): { readonly by: readonly number[]; readonly left: Node } {
    const by: number[] = [];
    let open = all;
    for (const j of places) {
      const { lower } = rules[j]!;
      if (diagrams.minus(all, lower) === FALSE) return { by: [j], left: FALSE };
      const fewer = diagrams.minus(open, lower);
      if (fewer !== open) by.push(j);
      open = fewer;
    }
    if (by.length > PRUNED_MAX) return { by, left: open };
    let needed: readonly number[] = by;
    for (const j of by) {
      const others = needed.filter((k) => k !== j);
      if (others.reduce((rest, k) => diagrams.minus(rest, rules[k]!.lower), all) === open) needed = others;
    }
    return { by: needed, left: open };
  }
}

/** More are named as they come. */
const PRUNED_MAX = 50;
