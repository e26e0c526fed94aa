import type { Network, PortId } from '@superfluidity/verify';

/** What policies are held against: a network, intended or read back, and where the units of the service are in it. */
export interface Subject {
  readonly network: Network;
  readonly units: readonly UnitPlaces[];
  /** What is taken for granted. */
  readonly assumptions: readonly string[];
}

export interface UnitPlaces {
  /** `video/video#0` */
  readonly name: string;
  readonly path: string;
  readonly networks: readonly string[];
  /** Its own, from which it opens connections. */
  readonly addresses: readonly string[];
  /** Of chains that end there. */
  readonly serviceAddresses: readonly string[];
  /** Where packets of its programs begin, one for each way out; and where those for its programs end. */
  readonly starts: readonly PortId[];
  readonly ends: readonly PortId[];
  /** At any of these a packet is there. */
  readonly all: readonly PortId[];
}
