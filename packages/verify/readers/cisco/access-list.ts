import type { MaskedAddress } from '../../incremental/rules.ts';
import type { SourceRef } from '../../ir/source.ts';

/** Inclusive, ascending, disjoint. */
export type PortRanges = readonly (readonly [low: number, high: number])[];

/** What a packet has above IP. */
export interface ServiceTest {
  /** Undefined: any protocol. */
  readonly protocol?: number;
  readonly sourcePorts?: PortRanges;
  readonly destinationPorts?: PortRanges;
  readonly icmp?: { readonly type: number; readonly code?: number };
  /** Flags of TCP of which one at least is set. */
  readonly anyFlag?: readonly number[];
}

/** One line of a list. Of services and of addresses one of several may fit; undefined is any. */
export interface AccessEntry {
  readonly action: 'permit' | 'deny';
  readonly services: readonly ServiceTest[];
  readonly sources?: readonly MaskedAddress[];
  readonly destinations?: readonly MaskedAddress[];
  /** What of it is not modelled: it may match or not. */
  readonly doubt?: string;
  readonly source: SourceRef;
}

/** Entries in the order in which they are tried. */
export interface AccessList {
  readonly name: string;
  readonly entries: readonly AccessEntry[];
}

/** Groups by name; undefined when there is none of that kind. */
export interface ObjectGroups {
  networks(name: string): readonly MaskedAddress[] | undefined;
  services(name: string): readonly ServiceTest[] | undefined;
}
