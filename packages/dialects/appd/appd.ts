import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { findAppds, readAppd } from './read.ts';
import { appdFileShape } from './shape.ts';
import { writeAppd } from './write.ts';

const mentionsAppd = mentions(/["']?appDId["']?\s*:/);

export const appd: Dialect = {
  format: 'appd',
  title: 'ETSI MEC application descriptor',
  standard: 'ETSI GS MEC 010-2 v2.1.1, clause 6.2.1.2',
  get schemas() {
    return { appd: z.toJSONSchema(appdFileShape, { io: 'input' }) };
  },
  recognises: (files) => files.some(mentionsAppd) && findAppds(files).length > 0,
  read: readAppd,
  writer: {
    expresses: [
      'service.version',
      'service.description',
      'service.networks',
      'port.internalIf',
      'execution.image',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.latencyMaxMs',
      'requirements.services',
    ],
    write: writeAppd,
  },
};
