import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { toscaInputs } from './inputs.ts';
import { readTosca } from './read.ts';
import { serviceTemplateShape } from './shape.ts';
import { isTosca } from './templates.ts';
import { writeTosca } from './write.ts';

export const tosca: Dialect = {
  format: 'tosca',
  title: 'TOSCA, with the NFV profile',
  standard:
    'ETSI GS NFV-SOL 001 v4.4.1; TOSCA Simple Profile in YAML 1.3; CSAR with TOSCA-Metadata/TOSCA.meta and without',
  get schemas() {
    return { tosca: z.toJSONSchema(serviceTemplateShape, { io: 'input' }) };
  },
  recognises: (files) => files.some(isTosca),
  read: readTosca,
  inputs: toscaInputs,
  writer: {
    expresses: [
      'service.version',
      'service.description',
      'service.networks',
      'service.chains',
      'service.policies',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'network.mtu',
      'chain.*',
      'port.address',
      'port.internalIf',
      'port.allow',
      'port.bandwidthMbps',
      'execution.*',
      'requirements.*',
    ],
    write: writeTosca,
  },
};
