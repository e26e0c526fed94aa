import { drawnBy, type End } from '../engine/cells.ts';
import { namesFor } from '../engine/names.ts';
import type { Piece, State } from '../engine/state.ts';
import { compare } from '../solve/formula.ts';
import type { PathCondition, Solve } from '../solve/path-condition.ts';
import { sameValue, type SymbolId, symbolsOf, type Value } from '../solve/value.ts';

/** How two packets that ought to be the same are not. */
export interface PacketDifference {
  /** The name of the field, or what is wrong with the headers as a whole. */
  readonly where: string;
  /** The packets as they are sent for which it is so. */
  readonly condition: PathCondition;
}

export interface Comparing {
  readonly sent: State;
  readonly layout: string;
  /** Names of fields that may differ. */
  readonly ignored: ReadonlySet<string>;
  readonly solve: Solve | undefined;
  readonly ranges: number;
  /** What all packets that are compared satisfy: whoever asks whether two packets differ has met it already. */
  readonly implied: ReadonlySet<PathCondition>;
}

/** New values of one network, and the new values of the other that they are, in all packets that come out together. */
export type Partners = Map<SymbolId, SymbolId>;

/**
 * In what ways two packets differ that come out of two networks for the same packet sent, bit by bit; none means that they
 * are the same for all of them. Values that are made on the way (the port that a translation picks) are the same when each
 * can be what the other can be. `unknown` is a difference of which the solver does not know whether it exists.
 */
export function* packetDifferences(
  a: End,
  b: End,
  under: PathCondition,
  how: Comparing,
  partners: Partners,
): Generator<PacketDifference | 'unknown', void, undefined> {
  const known = [a, b].reduce<PathCondition | undefined>(
    (met, { state: { condition } }) => (how.implied.has(condition) ? met : met?.meet(condition)),
    under,
  );
  if (known === undefined) return;
  const [piecesA, piecesB] = [a.state.packet(), b.state.packet()];
  if (!sameHeaders(piecesA, piecesB)) {
    yield { where: 'the headers', condition: known };
    return;
  }
  const drawn = { a: drawnBy(a, how.sent), b: drawnBy(b, how.sent) };
  for (const [i, { address, value }] of piecesA.entries()) {
    const other = piecesB[i]!.value;
    if (value === undefined && other === undefined) continue;
    const where = nameOf(a.state, address, how.layout);
    if (how.ignored.has(where)) continue;
    if (value === undefined || other === undefined) {
      yield { where, condition: known };
      continue;
    }
    const [left, right] = [known.resolve(value), known.resolve(other)];
    // Also of new values, when what both paths ask for makes them the same value of the packet that was sent.
    if (sameValue(left, right)) continue;
    const made = { a: speaksOf(left, drawn.a), b: speaksOf(right, drawn.b) };
    const compared =
      made.a || made.b
        ? compareMade(left, right, { a, b, how, partners, isMade: made.a && made.b })
        : compareKnown(left, right, known, how.solve);
    if (compared === 'unknown') yield 'unknown';
    else if (compared !== 'same') yield { where, condition: compared === 'different' ? known : compared };
  }
}

function compareKnown(
  left: Value,
  right: Value,
  known: PathCondition,
  solve: Solve | undefined,
): 'same' | 'unknown' | PathCondition {
  const condition = known.and(compare(left, '!=', right));
  const possible = condition?.satisfiable(solve) ?? 'no';
  if (condition === undefined || possible === 'no') return 'same';
  return possible === 'yes' ? condition : 'unknown';
}

/** One symbol of one network always stands for one of the other, with the same values to choose from. */
function compareMade(
  left: Value,
  right: Value,
  with_: {
    readonly a: End;
    readonly b: End;
    readonly how: Comparing;
    readonly partners: Partners;
    readonly isMade: boolean;
  },
): 'same' | 'unknown' | 'different' {
  const { a, b, how, partners, isMade } = with_;
  if (!isMade) return 'different';
  if (left.kind !== 'sum' || right.kind !== 'sum' || left.offset !== right.offset) return 'unknown';
  if (!a.state.condition.isIndependent(left.symbol) || !b.state.condition.isIndependent(right.symbol)) return 'unknown';
  const partner = partners.get(left.symbol);
  if (partner !== undefined) return partner === right.symbol ? 'same' : 'different';
  if ([...partners.values()].includes(right.symbol)) return 'different';
  partners.set(left.symbol, right.symbol);
  const [mine, others] = [a.state.condition.ranges(left, how.ranges), b.state.condition.ranges(right, how.ranges)];
  if (mine === undefined || others === undefined) return 'unknown';
  const text = (ranges: readonly (readonly [bigint, bigint])[]) => ranges.flat().join(' ');
  return text(mine) === text(others) ? 'same' : 'different';
}

const speaksOf = (value: Value, symbols: ReadonlySet<SymbolId>) =>
  symbols.size > 0 && [...symbolsOf(value)].some((symbol) => symbols.has(symbol));

/** The same pieces at the same distances from the first bit. */
function sameHeaders(a: readonly Piece[], b: readonly Piece[]): boolean {
  const [startA, startB] = [a[0]?.address ?? 0, b[0]?.address ?? 0];
  return (
    a.length === b.length &&
    a.every(({ address, width }, i) => width === b[i]!.width && address - startA === b[i]!.address - startB)
  );
}

function nameOf(state: State, address: number, layout: string): string {
  const found = namesFor(layout).find(([, at]) => state.has(at) && state.place(at) === address);
  return found?.[0] ?? `bit ${address}`;
}
