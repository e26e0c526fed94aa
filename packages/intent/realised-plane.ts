import type { PortId } from '@superfluidity/verify';
import type { UnitPlaces } from './subject.ts';

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
  /** `box:port` of its ports in the network that the files make. */
  readonly places: readonly PortId[];
}
