import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions, isTree } from '../recognise.ts';
import { readKubernetes } from './read.ts';
import { kubernetesFile } from './shape.ts';
import { writeKubernetes } from './write.ts';

/** At the top of a document: descriptors of others carry manifests inside. */
const isManifest = mentions(
  /^(?:apiVersion\s*:\s*["']?|\s{0,4}"apiVersion"\s*:\s*"|\{\s*(?:"kind"\s*:\s*"\w+"\s*,\s*)?"apiVersion"\s*:\s*")(?:v\d|[a-z0-9.-]+\/v\d)/m,
);
const hasKind = mentions(/(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?[A-Z]/m);

export const kubernetes: Dialect = {
  format: 'kubernetes',
  title: 'Kubernetes and OpenShift manifests',
  standard:
    'Kubernetes API v1.34 with the recommended labels, NetworkAttachmentDefinition v1 and Multus, KubeVirt v1; as written, or as rendered by Helm and Kustomize',
  isPart: true,
  get schemas() {
    return { kubernetes: z.toJSONSchema(kubernetesFile, { io: 'input' }) };
  },
  recognises: (files) => files.filter(isTree).some((file) => isManifest(file) && hasKind(file)),
  read: readKubernetes,
  writer: {
    expresses: [
      'service.version',
      'service.description',
      'service.networks',
      'service.balancers',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'unit.units',
      'network.mtu',
      'port.address',
      'port.mac',
      'port.internalIf',
      'port.allow',
      'port.bandwidthMbps',
      'execution.image',
      'execution.command',
      'execution.env',
      'execution.program',
      'execution.forwards',
      'execution.health',
      'execution.drain',
      'execution.nested',
      'balancer.targetPort',
      'balancer.persistence',
      'balancer.allow',
      'requirements.cpu',
      'requirements.memoryMiB',
      'requirements.storageMiB',
      'requirements.accelerators',
      'requirements.affinity',
    ],
    write: writeKubernetes,
  },
};
