/**
 * `npm run test:kubernetes`: runs what talks to Kubernetes. Where a laboratory is up it runs with that one. Else it starts
 * one of its own, and removes it. On CI, or with --install, it installs what is missing. --flavour NAME runs other files, or
 * with other laboratories; further arguments go to vitest.
 */
import { type Flavour, type Laboratory, runLabTests } from './lab-tests.ts';

/** Beside a laboratory of the user's own that is not all up. */
const cluster = (...up: readonly string[]): Laboratory => ({ kind: 'kubernetes', up: ['--port', '6444', ...up] });

/** Whole clusters, which playbooks make of machines that this one plays: half an hour. */
const CLUSTERS = ['apps/kuryr/install/cluster', 'lab/kubernetes/cluster-service'];

const FLAVOURS: readonly Flavour[] = [
  { name: 'default', labs: [cluster()], files: [], without: CLUSTERS },
  // Of the laboratory they want its programs alone, which its start builds.
  { name: 'clusters', labs: [cluster()], files: CLUSTERS, isPart: true },
  {
    // What CI has time for: the laboratory, the driver, and Kuryr from a pod of a kubelet to what is installed.
    name: 'essential',
    labs: [cluster()],
    files: [
      'lab/kubernetes/lab',
      'drivers/kubernetes/conformance',
      'drivers/kubernetes/workloads',
      'apps/kuryr/cni/kubelet',
      'apps/kuryr/controller/pods',
      'apps/kuryr/controller/fabric',
      'apps/kuryr/node/whole',
      'apps/kuryr/install/install',
    ],
    isPart: true,
  },
  {
    // Pods of kubelets in networks of Neutron, and Services through Octavia.
    name: 'joined',
    labs: [{ kind: 'openstack', up: ['nova', 'octavia'] }, cluster('--network', 'none')],
    files: [
      'apps/kuryr/bare-metal',
      'apps/kuryr/mixed',
      'apps/kuryr/octavia',
      'apps/kuryr/controller/port-pool',
      'apps/kuryr/controller/neutron-faults',
      'apps/kuryr/controller/policies-neutron',
    ],
    isPart: true,
  },
];

const passed = await runLabTests({
  project: 'kubernetes',
  flavours: FLAVOURS,
  startLimitMs: 5_400_000,
  testsLimitMs: 3_600_000,
});
process.exitCode = passed ? 0 : 1;
