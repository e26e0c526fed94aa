import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { readCran } from './read.ts';

export const cran: Dialect = {
  format: 'cran',
  title: 'RFB graph of a cloud RAN',
  standard: 'the deployment descriptor of RDCL 3D for C-RAN, api v1, kind sfwless-deployment (Superfluidity D6.1)',
  recognises: (files) => files.some(mentions(/^Functional-blocks\s*:/m)),
  read: readCran,
};
