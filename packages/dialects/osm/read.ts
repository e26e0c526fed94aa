import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { readEtsi } from '../sol006/read.ts';

/** Reads a package of OSM (release 9 and later): an NSD with its VNFDs, or one VNFD. Never throws. */
export function readOsm(files: readonly DescriptorFile[]): ReadResult {
  return readEtsi(files, 'osm');
}
