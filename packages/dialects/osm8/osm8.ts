import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { findCatalogues, mentionsCatalogue } from './catalogue.ts';
import { readOsm8 } from './read.ts';
import { catalogueFile } from './shape.ts';
import { writeOsm8 } from './write.ts';

export const osm8: Dialect = {
  format: 'osm8',
  title: 'Open Source MANO, up to release 8',
  standard: "OSM's own information model: vnfd:vnfd-catalog and nsd:nsd-catalog",
  get schemas() {
    return { osm8: z.toJSONSchema(catalogueFile, { io: 'input' }) };
  },
  recognises(files) {
    if (!files.some(mentionsCatalogue)) return false;
    const { nsd, vnfd } = findCatalogues(files);
    return nsd.length + vnfd.length > 0;
  },
  read: readOsm8,
  writer: {
    expresses: [
      'service.version',
      'service.description',
      'service.networks',
      'service.chains',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'port.address',
      'port.mac',
      'port.internalIf',
      'port.bandwidthMbps',
      'chain.ports',
      'chain.protocol',
      'execution.image',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.after',
    ],
    write: writeOsm8,
  },
};
