import { siteConformance } from '@superfluidity/site/testing';
import { IMAGES } from '../../lab/kubernetes/images.ts';
import { findLab } from '../../lab/kubernetes/testing.ts';
import { LabSite, MEMBERS } from './testing/lab-site.ts';

/**
 * The suite that every driver passes, against the laboratory, as an ordinary user with one namespace sees it, who may also say
 * the members of Services and ask kubelets what pods take.
 */

let bench: LabSite | undefined;
const { lab, reason } = findLab();
const execution = {
  environment: 'pod',
  image: `name:${IMAGES.busybox}`,
  command: ['sh', '-c', 'echo begun; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'],
  health: { kind: 'running', timeoutMs: 20_000 },
} as const;

siteConformance('kubernetes', {
  open: async () => {
    const everywhere = [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }];
    // Others may have nodes there that run nothing.
    const config = { only: ['kubernetes.io/hostname=node1'] };
    bench ??= await LabSite.open(lab!, { config, rules: [MEMBERS], everywhere });
    return bench.again();
  },
  cleanup: async () => bench?.close(),
  ...(reason === undefined ? {} : { skip: reason }),
  healthy: { execution },
  neverReady: { execution: { ...execution, health: { kind: 'tcp', port: 81, timeoutMs: 1_500 } } },
  imageMissing: { execution: { ...execution, image: 'name:superfluidity.test/no-such-image:1' } },
  unsupported: {
    pool: 'pods are made when they are asked for',
    'fixed addresses': 'the cluster gives addresses',
    paths: 'no packets are steered through pods',
    'data plane': 'the rules of nodes are not read by users of a cluster',
  },
  size: { cpu: 0.05, memoryMiB: 32, storageMiB: 16 },
  network: {
    id: 'net-c',
    service: 'svc-conformance',
    name: 'data',
    prefix: '10.60.1.0/24',
    supernet: '10.60.0.0/16',
    mtu: 1400,
  },
  serviceAddress: '10.99.0.1',
  balancerAddress: '10.96.200.7',
  burst: 4,
  timeoutMs: 180_000,
});
