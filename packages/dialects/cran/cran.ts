import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { readCran, rfbGraphShape } from './read.ts';
import { writeCran } from './write.ts';

export const cran: Dialect = {
  format: 'cran',
  title: 'RFB graph of a cloud RAN',
  standard: 'the deployment descriptor of RDCL 3D for C-RAN, api v1, kind sfwless-deployment (Superfluidity D6.1)',
  get schemas() {
    return { cran: z.toJSONSchema(rfbGraphShape, { io: 'input' }) };
  },
  recognises: (files) => files.some(mentions(/^Functional-blocks\s*:/m)),
  read: readCran,
  writer: { expresses: ['service.networks', 'execution.image', 'requirements.location'], write: writeCran },
};
