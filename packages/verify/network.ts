import type { Instruction } from './ir/instruction.ts';
import type { SourceRef } from './ir/source.ts';

/** `box:port`; a box may use colons in its port names (`fw:eth0:in`), the first one ends the box. */
export type PortId = string;

/**
 * A data plane. A packet that comes to a port runs the port's program, if it has one. If the program forwards it, it is at
 * that next port; if it ends without, or there was no program, the packet goes along the port's links: to each of them, when
 * there are several. At a port without links it has left the network there, which is a delivery at an edge, and a black hole
 * anywhere else.
 */
export interface Network {
  readonly name: string;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly programs: ReadonlyMap<PortId, Instruction>;
  readonly links: ReadonlyMap<PortId, readonly PortId[]>;
  /** Where packets are meant to leave the network, or end in a host. Absent: wherever there is neither program nor link. */
  readonly edges?: ReadonlySet<PortId>;
  /** Boxes that are there and of which nothing is known, with the reason: what they do with a packet, nobody can say. */
  readonly unknown?: ReadonlyMap<string, string>;
  /** Longest IP packets, in bytes, that leave at a port. Of other ports nothing is known: everything passes. */
  readonly mtus?: ReadonlyMap<PortId, Mtu>;
  /** Shared pieces of program, by name: user chains, pipelines. Calls among them have no cycle. */
  readonly routines: ReadonlyMap<string, Instruction>;
}

export interface Mtu {
  readonly bytes: number;
  readonly source?: SourceRef;
}

export interface Box {
  readonly name: string;
  /** `router`, `switch`, `netfilter`, `click`, `openflow`, `host`, ... */
  readonly kind: string;
  readonly source?: SourceRef;
}

export function boxOf(port: PortId): string {
  const colon = port.indexOf(':');
  return colon < 0 ? port : port.slice(0, colon);
}
