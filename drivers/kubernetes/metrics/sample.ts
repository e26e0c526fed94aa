import { CONTAINER } from '../manifest.ts';

/** The container whose numbers are those of the unit. */
export const PART = CONTAINER;

/** What somebody measured of a pod. What is not told is absent. */
export interface Sample {
  atMs?: number;
  cpuMs?: number;
  throttledMs?: number;
  memoryBytes?: number;
  processes?: number;
  traffic: {
    rxBytes?: number;
    rxPackets?: number;
    rxDropped?: number;
    txBytes?: number;
    txPackets?: number;
    txDropped?: number;
  };
}
