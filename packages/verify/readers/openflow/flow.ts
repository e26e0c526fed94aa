import type { SourceRef } from '../../ir/source.ts';

/** Bits of one field of OVS (ovs-fields(7)), bit 0 the least significant. */
export interface Part {
  readonly field: FieldName;
  readonly low: number;
  readonly width: number;
}

/** What a name means in bits, most significant part first: `xreg0` is `reg0` and `reg1`. */
export type Subfield = readonly Part[];

/** Fields as the model keeps them: one for each place, so that two names of the same bits are the same field. */
export type FieldName = string;

/** `(field & mask) == value`; bits of value are bits of mask. */
export interface FieldMatch {
  readonly field: FieldName;
  readonly value: bigint;
  readonly mask: bigint;
}

export interface Flow {
  readonly table: number;
  readonly priority: number;
  /** A number, or a name as with `--names`. */
  readonly inPort?: string;
  readonly matches: readonly FieldMatch[];
  readonly actions: readonly Action[];
  /** Parts of the match that were not understood: whether the flow matches, nobody knows. */
  readonly doubts: readonly string[];
  readonly source: SourceRef;
}

export type Action =
  /** A number, a name, or one of the reserved ports of ovs-ofctl(8). */
  | { readonly kind: 'output'; readonly port: string }
  | { readonly kind: 'output field'; readonly from: Subfield }
  | { readonly kind: 'set'; readonly to: Subfield; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'move'; readonly from: Subfield; readonly to: Subfield }
  /** `mod_vlan_vid` and `mod_vlan_pcp`: a frame without a tag gets one. */
  | { readonly kind: 'tag'; readonly vid?: number; readonly pcp?: number }
  /**
   * `type` is that of the tag: 802.1Q or 802.1ad. `perhapsChanges`: what the switch executes may be `mod_vlan_vid` or
   * `mod_vlan_pcp`, by which a frame with a tag gets no other.
   */
  | { readonly kind: 'push vlan'; readonly type: number; readonly perhapsChanges?: true }
  | { readonly kind: 'pop vlan' }
  /** `type` is that of the frame then. */
  | { readonly kind: 'push mpls' | 'pop mpls'; readonly type: number }
  | { readonly kind: 'decrement ttl' }
  | { readonly kind: 'decrement mpls ttl' }
  | { readonly kind: 'resubmit'; readonly port?: string; readonly table?: number }
  | { readonly kind: 'goto'; readonly table: number }
  | { readonly kind: 'write'; readonly actions: readonly Action[] }
  | { readonly kind: 'clear' }
  | { readonly kind: 'clone'; readonly actions: readonly Action[] }
  | Track
  | { readonly kind: 'untrack' }
  /** As it is written; `buckets` is what the group does. */
  | { readonly kind: 'group'; readonly id: number }
  | {
      readonly kind: 'buckets';
      readonly take: 'all' | 'one' | 'one or none';
      readonly buckets: readonly (readonly Action[])[];
    }
  | { readonly kind: 'conjunction'; readonly id: number; readonly clause: number; readonly of: number }
  | { readonly kind: 'exit' }
  /** Adds flows of that priority to a table, later: a packet on its way goes by those that are there. */
  | { readonly kind: 'learn'; readonly table: number; readonly priority: number }
  /** Known, and nothing that a packet on its way would notice. */
  | { readonly kind: 'nothing'; readonly what: string }
  | { readonly kind: 'doubt'; readonly what: string };

export type ActionOf<Kind extends Action['kind']> = Extract<Action, { readonly kind: Kind }>;

/** `ct(...)` */
export interface Track {
  readonly kind: 'track';
  readonly commit: boolean;
  readonly table?: number;
  readonly zone: number | Subfield;
  /** `exec(...)`: what is remembered of the connection. */
  readonly remember: readonly Action[];
  readonly translate?: Translation;
}

/** `nat`, or `nat(src=...)`. Without a side, packets of connections that are translated already. */
export interface Translation {
  readonly side?: 'src' | 'dst';
  readonly addresses?: readonly [low: bigint, high: bigint];
  readonly ports?: readonly [low: bigint, high: bigint];
}
