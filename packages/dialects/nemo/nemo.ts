import type { Dialect } from '../dialect.ts';
import { isNemo, readNemo } from './read.ts';
import { writeNemo } from './write.ts';

export const nemo: Dialect = {
  format: 'nemo',
  title: 'NEMO',
  standard:
    'draft-xia-sdnrg-nemo-language-04 as OpenDaylight implemented it, with recursive VNFs of draft-aranda-nfvrg-recursive-vnf-06',
  recognises: (files) => files.some(isNemo),
  read: readNemo,
  writer: {
    expresses: [
      'service.networks',
      'service.chains',
      'port.bandwidthMbps',
      'port.mac',
      'execution.image',
      'execution.command',
      'execution.program',
      'execution.files',
      'execution.forwards',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.latencyMaxMs',
      'chain.protocol',
      'chain.ports',
      'chain.bandwidthMbps',
    ],
    write: writeNemo,
  },
};
