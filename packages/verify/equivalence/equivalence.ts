import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { explained } from '../analyses/explained.ts';
import { boundOf } from '../engine/budget.ts';
import { type Cell, cellsOf, type End } from '../engine/cells.ts';
import { type ExploreOptions, Explorer, type Start } from '../engine/explore.ts';
import { makePath } from '../engine/make-path.ts';
import type { Path, ShownPath } from '../engine/path.ts';
import { Question } from '../engine/question.ts';
import type { State } from '../engine/state.ts';
import { type Layout, layouts as standardLayouts } from '../ir/layouts.ts';
import type { Bound } from '../limits.ts';
import type { Network, PortId } from '../network.ts';
import { portsOf } from '../ports.ts';
import type { PathCondition } from '../solve/path-condition.ts';
import type { Verdict } from '../verdict.ts';
import { type Possibility, possibilities } from './possibilities.ts';
import { type Comparing, type PacketDifference, packetDifferences, type Partners } from './packets.ts';

/** A packet that two networks treat differently, and what each does with it. */
export interface Difference<P extends ShownPath = Path> {
  /**
   * `arity`: another number of packets comes out; `port`: they come out elsewhere; `value`: they come out changed;
   * `choice`: one network may do what the other never does.
   */
  readonly kind: 'arity' | 'port' | 'value' | 'choice';
  readonly because: string;
  readonly start: PortId;
  readonly inA: readonly P[];
  readonly inB: readonly P[];
}

export interface EquivalenceVerdict<P extends ShownPath = Path> extends Verdict<P> {
  readonly differences: readonly Difference<P>[];
}

export interface EquivalenceOptions extends Pick<ExploreOptions, 'limits' | 'clock' | 'solve' | 'coverage'> {
  /** The port of the second network that a port of the first one is. Default: the one with the same name. */
  readonly ports?: ReadonlyMap<PortId, PortId>;
  /** Names of fields in which packets may differ. Default: checksums, which follow from the rest. */
  readonly ignored?: readonly string[];
}

const checksums = ['IPv4.checksum', 'TCP.checksum', 'UDP.checksum', 'ICMP.checksum'];

/** Differences that are listed at most. */
export const DIFFERENCES_MAX = 100;
/** Of those, differences with the very rules that the packets meet. */
const EXPLAINED = 10;

/**
 * Do two networks send out the same packets at corresponding ports for every packet that comes in? Each is explored once with
 * all packets and cut into cells of packets for which the same happens; where a cell of one meets a cell of the other, what
 * comes out is compared as values of the packet that was sent. That is output, input/output and functional
 * equivalence at once (EQ; Dumitrescu et al., NSDI 2019).
 */
export function equivalence(
  a: Network,
  b: Network,
  starts: readonly Start[],
  options: EquivalenceOptions = {},
): EquivalenceVerdict {
  const comparison = new Comparison(a, b, options);
  let bound: Bound | undefined;
  try {
    for (const start of starts) comparison.compareFrom(start);
  } catch (error) {
    bound = boundOf(error);
    if (bound === undefined) throw error;
  }
  return comparison.verdict(bound);
}

class Comparison {
  readonly #a: Network;
  readonly #b: Network;
  readonly #options: EquivalenceOptions;
  readonly #question: Question;
  readonly #ignored: ReadonlySet<string>;
  readonly #portsOfB: ReadonlySet<PortId>;
  readonly #differences: Difference[] = [];
  readonly #doubtful: Difference[] = [];
  readonly #doubts = new Set<string>();

  constructor(a: Network, b: Network, options: EquivalenceOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#question = new Question(options);
    this.#ignored = new Set(options.ignored ?? checksums);
    this.#portsOfB = portsOf(b);
  }

  compareFrom(start: Start): void {
    const there = this.#inB(start.port);
    if (!portsOf(this.#a).has(start.port)) noSuchPort(start.port, this.#a);
    if (!this.#portsOfB.has(there)) noSuchPort(there, this.#b);
    for (const layout of start.layouts ?? standardLayouts.filter(({ name }) => name.startsWith('ipv4/'))) {
      const explorer = new Explorer(this.#a, this.#question, {});
      for (const sent of explorer.born(start, layout)) this.#compareSent(sent, start, there, layout);
    }
  }

  #compareSent(sent: State, start: Start, there: PortId, layout: Layout): void {
    const cells = this.#cells(this.#a, sent, layout, start);
    const others = new Set(this.#cells(this.#b, sent.beginAt(there), layout, start));
    const alike = Map.groupBy(others, (other) => portsText(other.ends.map(({ state }) => state.port)));
    // Silent ones last: by then few are left of those that are not.
    for (const cell of cells.toSorted((a, b) => Number(isSilent(a)) - Number(isSilent(b)))) {
      const outB = portsText(cell.ends.map(({ state }) => this.#inB(state.port)));
      // Cells of one network are disjoint: most are within one that does the same, and then there is no other to look at.
      for (const other of new Set([...(alike.get(outB) ?? []), ...others])) {
        if (!others.has(other) || (isSilent(cell) && isSilent(other))) continue;
        if (cell.condition.excludes(other.condition)) continue;
        const condition = cell.condition.meet(other.condition);
        if (condition === undefined) continue;
        const implied = new Set([cell.condition, other.condition]);
        this.#compareCell(cell, { condition, ends: other.ends }, { sent, start, there, layout, implied });
        if (other.condition.isWithin(cell.condition)) others.delete(other);
        if (cell.condition.isWithin(other.condition)) break;
      }
    }
  }

  #cells(network: Network, sent: State, layout: Layout, { setup }: Start): readonly Cell[] {
    const ends: End[] = [];
    const explorer = new Explorer(network, this.#question, {
      keepDropped: false,
      monitor: {
        ended: (path, state) => {
          ends.push({ outcome: path.outcome, state, path });
          return 'continue';
        },
      },
    });
    explorer.explore(sent, layout, setup);
    const cells = cellsOf(ends, sent, this.#question.budget);
    if (cells !== undefined) return cells;
    this.#doubts.add(`for which packets ${network.name} makes the new values that it makes`);
    return [];
  }

  #compareCell(cell: Cell, finer: Cell, at: At): void {
    for (const { outcome, path } of [...cell.ends, ...finer.ends]) {
      if (outcome === 'unfinished') this.#doubts.add(path.why ?? '');
      for (const doubt of path.doubts) this.#doubts.add(doubt);
    }
    if ([cell, finer].some(({ ends }) => ends.length > 1 && ends.some(({ outcome }) => outcome === 'loop'))) {
      this.#doubts.add('how many packets come out of a loop that copies them');
      return;
    }
    const [mine, others] = [possibilities(cell), possibilities(finer)];
    if (mine === undefined || others === undefined) {
      this.#doubts.add('packets that are copied and chosen among in too many ways');
      return;
    }
    const sides: readonly Side[] = [
      { of: mine, against: others, correspond: (x, y) => this.#inB(x.state.port) === y.state.port },
      { of: others, against: mine, correspond: (y, x) => this.#inB(x.state.port) === y.state.port },
    ];
    this.#question.budget.look();
    for (const side of mine.length === 1 && others.length === 1 ? sides.slice(0, 1) : sides) {
      for (const possibility of side.of) {
        const found = findUnmatched(possibility, side, finer.condition, this.#how(at));
        if (found === 'unknown') this.#doubts.add('whether values that were computed in both networks are the same');
        if (found === 'none' || found === 'unknown') continue;
        const { kind, where, condition } = found;
        // What each network left to the solver alone was satisfiable; together it may not be.
        const isThere = condition.satisfiable(this.#question.solve);
        if (isThere === 'no') continue;
        if (isThere === 'unknown') this.#doubts.add('whether a packet can meet the conditions of both networks');
        const ends: Shown = [cell.ends, finer.ends];
        const because = this.#because(kind, [mine[0]!, others[0]!], where);
        const difference = { kind, because, start: at.start.port, ...this.#paths(ends, condition, at) };
        return this.#report(difference, ends.flat(), isThere === 'yes');
      }
    }
  }

  #because(kind: Difference['kind'], [x, y]: readonly [Possibility, Possibility], where: string): string {
    const [a, b] = [this.#a.name, this.#b.name];
    const ports = (possibility: Possibility) => possibility.map(({ state }) => state.port).join(', ');
    switch (kind) {
      case 'arity':
        return `${packetsText(x.length)} out of ${a}, ${packetsText(y.length).toLowerCase()} out of ${b}.`;
      case 'port':
        return `It leaves ${a} at ${ports(x)}, and ${b} at ${ports(y)}.`;
      case 'value':
        return `It leaves both at ${ports(x)}, with another value of ${where}.`;
      case 'choice':
        return `One network may do with it what the other never does.`;
    }
  }

  #paths([mine, others]: Shown, condition: PathCondition, at: At): Pick<Difference, 'inA' | 'inB'> {
    const isShown = this.#differences.length < EXPLAINED;
    const pathOf = ({ state, path }: End, network: Network, start: Start): Path => {
      const met = state.condition.meet(condition) ?? state.condition;
      const made = makePath({
        state: state.under(met),
        outcome: path.outcome,
        why: path.why,
        source: path.source,
        layout: path.layout,
        sent: at.sent,
        solve: this.#question.solve,
        ranges: this.#question.limits.ranges,
      });
      return isShown ? explained(network, start, made) : made;
    };
    return {
      inA: mine.map((end) => pathOf(end, this.#a, at.start)),
      inB: others.map((end) => pathOf(end, this.#b, { ...at.start, port: at.there })),
    };
  }

  #report(difference: Difference, ends: readonly End[], isThere: boolean): void {
    const list =
      !isThere || ends.some(({ path }) => path.doubts.length > 0 || path.outcome === 'unfinished')
        ? this.#doubtful
        : this.#differences;
    if (list.length < DIFFERENCES_MAX) list.push(difference);
  }

  #how({ sent, layout, implied }: At): Comparing {
    const { solve: ask, limits, budget } = this.#question;
    // One answer may take seconds, and there may be hundreds of pairings.
    const solve: typeof ask =
      ask &&
      ((formula, widths) => {
        budget.look();
        return ask(formula, widths);
      });
    return { sent, layout: layout.name, ignored: this.#ignored, solve, ranges: limits.ranges, implied };
  }

  #inB(port: PortId): PortId {
    return this.#options.ports?.get(port) ?? port;
  }

  verdict(bound: Bound | undefined): EquivalenceVerdict {
    const certain = this.#differences.length > 0;
    const differences = certain ? this.#differences : this.#doubtful;
    const [first] = differences;
    const paths = first === undefined ? [] : [...first.inA, ...first.inB];
    const rules = paths.flatMap(({ hops, source }) => [
      ...hops.flatMap(({ because }) => because),
      ...(source === undefined ? [] : [source]),
    ]);
    const base = {
      question: 'diff',
      differences,
      paths,
      rules: [...new Map(rules.map((rule) => [`${rule.file}:${rule.line}`, rule])).values()],
      dependsOn: certain ? [] : [...this.#doubts],
      ...(bound === undefined || certain ? {} : { bound }),
    };
    if (certain) return { ...base, answer: 'violated', because: `There are packets that are treated differently.` };
    if (bound !== undefined) {
      return { ...base, answer: 'unknown', because: `Not all packets were compared: bound hit: ${bound}.` };
    }
    if (this.#doubts.size > 0) {
      return {
        ...base,
        answer: 'unknown',
        because: 'Whether all packets are treated alike depends on what is not known.',
      };
    }
    return { ...base, answer: 'holds', because: 'Both send out the same packets for every packet that comes in.' };
  }
}

/** What one network may do, held against what the other may do. */
interface Side {
  readonly of: readonly Possibility[];
  readonly against: readonly Possibility[];
  readonly correspond: (own: End, other: End) => boolean;
}

/** Ways to pair the copies that come out of both, at most. */
const PAIRINGS_MAX = 720;

interface Unmatched {
  readonly kind: Difference['kind'];
  readonly where: string;
  readonly condition: PathCondition;
}

/**
 * Packets for which the other network has nothing that is the same as this possibility: each of its possibilities, in each
 * way to pair the copies, differs for them in some pair.
 */
function findUnmatched(
  possibility: Possibility,
  { of, against, correspond }: Side,
  under: PathCondition,
  how: Comparing,
): Unmatched | 'none' | 'unknown' {
  const isChoice = of.length > 1 || against.length > 1;
  const sameArity = against.filter((other) => other.length === possibility.length);
  const pairings: Pairing[] = [];
  for (const other of sameArity) {
    for (const pairing of pairingsOf(possibility, other, correspond)) {
      if (pairings.length >= PAIRINGS_MAX) return 'unknown';
      pairings.push(pairing);
    }
  }
  if (pairings.length === 0) {
    const kind = isChoice ? 'choice' : sameArity.length === 0 ? 'arity' : 'port';
    return { kind, where: '', condition: under };
  }
  const found = refute(pairings, 0, { where: '', condition: under }, how, { left: PAIRINGS_MAX });
  return typeof found === 'string' ? found : { kind: isChoice ? 'choice' : 'value', ...found };
}

type Pairing = readonly (readonly [End, End])[];

/** All ways to give each packet one of the others that leaves at the corresponding port. */
function* pairingsOf(
  ends: Possibility,
  others: Possibility,
  correspond: (own: End, other: End) => boolean,
): Generator<Pairing> {
  const [first, ...rest] = ends;
  if (first === undefined) return yield [];
  for (const [i, other] of others.entries()) {
    if (!correspond(first, other)) continue;
    for (const pairing of pairingsOf(rest, others.toSpliced(i, 1), correspond)) yield [[first, other], ...pairing];
  }
}

function refute(
  pairings: readonly Pairing[],
  index: number,
  known: PacketDifference,
  how: Comparing,
  tries: { left: number },
): PacketDifference | 'none' | 'unknown' {
  const pairing = pairings[index];
  if (pairing === undefined) return known;
  let answer: 'none' | 'unknown' = 'none';
  const partners: Partners = new Map();
  for (const [end, other] of pairing) {
    for (const difference of packetDifferences(end, other, known.condition, how, partners)) {
      tries.left -= 1;
      if (tries.left < 0) return 'unknown';
      const rest = difference === 'unknown' ? 'unknown' : refute(pairings, index + 1, difference, how, tries);
      if (typeof rest !== 'string') return rest;
      if (rest === 'unknown') answer = 'unknown';
    }
  }
  return answer;
}

/** Ends of the first network, and of the second. */
type Shown = readonly [readonly End[], readonly End[]];

interface At {
  readonly sent: State;
  readonly start: Start;
  readonly there: PortId;
  readonly layout: Layout;
  /** The conditions of both cells. */
  readonly implied: ReadonlySet<PathCondition>;
}

const portsText = (ports: readonly PortId[]) => ports.toSorted().join(' ');

const SILENT: ReadonlySet<End['outcome']> = new Set(['dropped', 'black hole', 'failed']);

/** Nothing comes out, for certain: there is nothing to compare with another that is so. */
const isSilent = ({ ends }: Cell) => ends.every(({ outcome, path }) => SILENT.has(outcome) && path.doubts.length === 0);

const packetsText = (count: number) =>
  count === 0 ? 'No packet comes' : count === 1 ? 'One packet comes' : `${count} packets come`;

function noSuchPort(port: PortId, network: Network): never {
  throw new SuperfluidityError('SF-VERIFY-PORT', {
    reason: `${network.name} has no port '${port}'; say with --map which port of the other network it is`,
  });
}
