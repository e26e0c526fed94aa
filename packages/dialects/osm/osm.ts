import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { findDescriptors } from '../sol006/package.ts';
import { looksLikeOsm } from '../sol006/quirks.ts';
import { osmFile } from '../sol006/shape.ts';
import { readOsm } from './read.ts';
import { writeOsm } from './write.ts';

const mentionsDescriptor = mentions(/(?:^|[{,\s])["']?(?:nsd|vnfd)["']?\s*:/m);

export const osm: Dialect = {
  format: 'osm',
  title: 'Open Source MANO, release 9 and later',
  standard: "OSM's information model of SOL006, with KDUs and day-1/day-2 primitives",
  get schemas() {
    return { osm: z.toJSONSchema(osmFile, { io: 'input' }) };
  },
  recognises: (files) => files.some(mentionsDescriptor) && looksLikeOsm(findDescriptors(files)),
  read: readOsm,
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
      'network.mtu',
      'port.address',
      'port.internalIf',
      'port.allow',
      'port.bandwidthMbps',
      'chain.ports',
      'chain.protocol',
      'execution.image',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.affinity',
      'requirements.after',
    ],
    write: writeOsm,
  },
};
