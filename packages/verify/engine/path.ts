import type { Field, Location } from '../ir/expression.ts';
import type { SourceRef } from '../ir/source.ts';
import type { PortId } from '../network.ts';

/**
 * How a path ended. The paths of an exploration are disjoint in what packets begin them (copies and choices aside), and
 * together they are all packets that were asked about.
 */
export type Outcome =
  /** At a port that is an edge of the network. */
  | 'delivered'
  /** By a `drop` or a `constrain`. */
  | 'dropped'
  /** At a port where the network ends and should not. */
  | 'black hole'
  /** It is where it has been before, in a state that is contained in the earlier one. */
  | 'loop'
  /** An error: `fail`, reading what is not there, overlapping headers. */
  | 'failed'
  /** A bound was hit before the path ended, or it came to a box that is not understood: nothing is known of the rest. */
  | 'unfinished';

export interface Hop {
  readonly port: PortId;
  /** Rules and instructions with a source that decided something at this port, in order. */
  readonly because: readonly SourceRef[];
}

/** A concrete packet: the value of each location that the layout has, by the name of the location. */
export interface Packet {
  readonly layout: string;
  readonly values: ReadonlyMap<string, bigint>;
}

export interface Witness {
  readonly sent: Packet;
  readonly arrived: Packet;
  /** The values of all symbols of the path, in the order in which they were made. */
  readonly drawn: readonly bigint[];
}

/** What is shown of a path. */
export interface ShownPath {
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
  /** The last port. */
  readonly port: PortId;
  /** Of a drop, a failure, a loop, a bound. */
  readonly why?: string;
  /** The instruction that ended it. */
  readonly source?: SourceRef;
  /** What was not understood on the way. The path is certain when this is empty. */
  readonly doubts: readonly string[];
  /** Packets that the exploration copied or chose among to get here: the number of `fork` and `choose` on the way. */
  readonly copies: number;
  readonly choices: number;
  readonly layout: string;
  /** A packet that takes this path, as it is sent and as it is at the end. Undefined when the solver does not know. */
  witness(): Witness | undefined;
}

/** What is to be seen of a field that was sent: by its name, only inside a tunnel, encrypted, or nothing. */
export type Sight = 'shown' | 'inside' | 'encrypted' | 'gone';

export interface Path extends ShownPath {
  /** The ranges of values that a location can have here, or undefined when it does not exist. Exact for one location. */
  ranges(at: Location): readonly (readonly [bigint, bigint])[] | undefined;
  /** Whether the value with which the packets were sent can be read in them here; undefined when they had no such field. */
  sight(at: Field): Sight | undefined;
  /** Of these packets, those that arrive with another value in one of the places, or without it; undefined when none does. */
  changed(places: readonly Location[]): Path | undefined;
}
