import type { SourceRef } from '../../ir/source.ts';

/** A port of a switch (IEEE 802.1Q, 8.8): in which VLANs it is, and which of them have no tag there. */
export interface VlanPort {
  /** As MAC tables have it: `Gi0/1`. */
  readonly name: string;
  /** Of frames that come without a tag; undefined: they are not let in. */
  readonly pvid?: number;
  /** Frames of these leave without a tag. */
  readonly untagged: ReadonlySet<number>;
  /** Frames of these leave with one. */
  readonly tagged: ReadonlySet<number>;
  readonly source: SourceRef;
}

export const isMember = ({ untagged, tagged }: VlanPort, vlan: number): boolean =>
  untagged.has(vlan) || tagged.has(vlan);

/** What an access port is, and what a trunk is. */
export function accessPort(name: string, vlan: number, source: SourceRef): VlanPort {
  return { name, pvid: vlan, untagged: new Set([vlan]), tagged: new Set(), source };
}

export function trunkPort(name: string, native: number, allowed: ReadonlySet<number>, source: SourceRef): VlanPort {
  const tagged = new Set(allowed);
  const isIn = tagged.delete(native);
  return { name, ...(isIn ? { pvid: native } : {}), untagged: new Set(isIn ? [native] : []), tagged, source };
}
