/** Inclusive. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Addresses as numbers; bits that are one in `wildcard` are not looked at. */
export interface MaskedAddress {
  readonly value: number;
  readonly wildcard: number;
}

/** The longest prefix wins; of equal ones, the one that came first. */
export interface ForwardingRule {
  readonly kind: 'forward';
  readonly box: string;
  readonly address: number;
  /** Bits. */
  readonly length: number;
  readonly port: string;
}

/** The highest priority wins; of equal ones, the one that came first. What no rule matches is denied. */
export interface AccessRule {
  readonly kind: 'access';
  readonly list: string;
  readonly action: 'permit' | 'deny';
  readonly priority: number;
  readonly protocol?: Range;
  readonly source?: MaskedAddress;
  readonly destination?: MaskedAddress;
  readonly sourcePort?: Range;
  readonly destinationPort?: Range;
}

export type NetworkRule = ForwardingRule | AccessRule;

/** A set of packets moves from one behaviour of an element to another. */
export interface Change {
  readonly packets: number;
  readonly from: number;
  readonly to: number;
}
