import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { findProject } from './project.ts';
import { readRdcl } from './read.ts';
import { writeRdcl } from './write.ts';

const mentionsRdcl = mentions(/["']?(?:nsdIdentifier|vnfdId)["']?\s*:/);

export const rdcl: Dialect = {
  format: 'rdcl',
  title: 'RDCL 3D project',
  standard: 'ETSI GS NFV-IFA 011 and 014 v2 as RDCL 3D writes them in JSON, with nested VDUs of D6.1 annex B2',
  recognises: (files) => {
    if (!files.some(mentionsRdcl)) return false;
    const { nsds, vnfds } = findProject(files);
    return nsds.length + vnfds.length > 0;
  },
  read: readRdcl,
  writer: {
    expresses: [
      'service.version',
      'service.networks',
      'unit.description',
      'unit.scale',
      'port.address',
      'port.internalIf',
      'execution.image',
      'execution.command',
      'execution.program',
      'execution.nested',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
    ],
    write: writeRdcl,
  },
};
