import type { PortId } from '@superfluidity/verify';
import type { UnitPlaces } from './subject.ts';
import type { InsidePort, UnitInside } from './unit.ts';

/** What sites say that is there, and which of it are the units of a service. */
export interface RealisedPlane {
  readonly service: string;
  /** Of all sites together: names of boxes carry the key of the site. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly units: readonly RealisedUnit[];
  /** Sites that cannot be read, with the reason. */
  readonly unread: readonly string[];
}

export interface RealisedUnit extends Omit<UnitPlaces, 'starts' | 'ends' | 'all'> {
  /** `box:port` of its ports in the network that the files make: the box is the unit itself. */
  readonly places: readonly PortId[];
  /** Of a unit whose inside nobody can read. Its places are the near ends of its wires. */
  readonly machine?: Machine;
}

/** A virtual machine, as it was given to be. */
export interface Machine extends Pick<UnitInside, 'forwards' | 'translates'> {
  readonly ports: readonly (InsidePort & { readonly place: PortId })[];
}
