import type { Dialect } from '../dialect.ts';
import { writeAnsible } from './write.ts';

export const ansible: Dialect = {
  format: 'ansible',
  title: 'Ansible playbooks for plain Linux hosts',
  standard: 'ansible-core 2.14 and later, modules of ansible.builtin',
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
      'port.mac',
      'port.internalIf',
      'port.allow',
      'execution.image',
      'execution.command',
      'execution.env',
      'execution.files',
      'execution.program',
      'execution.forwards',
      'execution.health',
      'execution.drain',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.location',
      'requirements.after',
    ],
    write: writeAnsible,
  },
};
