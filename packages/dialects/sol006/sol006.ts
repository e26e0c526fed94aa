import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { findDescriptors, readSol006 } from './read.ts';
import { writeSol006 } from './write.ts';

const mentionsNsd = mentions(/^\s*["']?(?:[\w-]+:)?nsd["']?\s*:/m);

export const sol006: Dialect = {
  format: 'sol006',
  title: 'ETSI NFV-SOL 006',
  standard: 'ETSI GS NFV-SOL 006 v3.6.1, with nested VDUs of D6.1 annex B2 as an augmentation',
  recognises: (files) => files.some(mentionsNsd) && findDescriptors(files).nsds.length > 0,
  read: readSol006,
  writer: {
    expresses: [
      'service.policies',
      'service.version',
      'service.description',
      'service.networks',
      'service.chains',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'network.mtu',
      'chain.*',
      'port.address',
      'port.internalIf',
      'execution.*',
      'requirements.*',
    ],
    write: writeSol006,
  },
};
