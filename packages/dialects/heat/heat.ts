import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { heatInputs } from './inputs.ts';
import { templateShape } from './package.ts';
import { readHeat } from './read.ts';
import { writeHeat } from './write.ts';

/** At the top of a file: descriptors of others carry templates inside. */
const isTemplate = mentions(/^(?:["']?|\{\s*"|\s{0,4}")heat_template_version["']?\s*:/m);

export const heat: Dialect = {
  format: 'heat',
  title: 'OpenStack Heat Orchestration Template',
  standard: 'HOT, heat_template_version 2013-05-23 to 2021-04-16, with nested stacks; written as 2018-08-31',
  isPart: true,
  get schemas() {
    return { heat: z.toJSONSchema(templateShape, { io: 'input' }) };
  },
  recognises: (files) => files.some(isTemplate),
  read: readHeat,
  inputs: heatInputs,
  writer: {
    expresses: [
      'service.version',
      'service.description',
      'service.networks',
      'service.chains',
      'service.balancers',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'network.mtu',
      'port.address',
      'port.mac',
      'port.internalIf',
      'port.allow',
      'port.bandwidthMbps',
      'port.guaranteedMbps',
      'port.dscp',
      'execution.image',
      'execution.command',
      'execution.env',
      'execution.program',
      'execution.forwards',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.after',
      'chain.protocol',
      'chain.ports',
      'balancer.targetPort',
      'balancer.layer',
      'balancer.health',
      'balancer.weight',
      'balancer.algorithm',
      'balancer.persistence',
      'balancer.connectionLimit',
      'balancer.allow',
      'balancer.proxyProtocol',
    ],
    write: writeHeat,
  },
};
