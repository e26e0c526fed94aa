import { locatorOf, routerSid } from '@superfluidity/fabric';
import type { Fingerprint } from '@superfluidity/site';
import { offeredEnvironments } from './manifest.ts';
import { metricsSource } from './metrics/read.ts';
import type { Nodes } from './nodes.ts';
import type { Balancers } from './services/balancers.ts';
import type { World } from './world.ts';

type Capability = Fingerprint['capabilities'][number];

/** Groups of the API that clusters have or have not, with what they are for. */
const GROUPS: readonly (readonly [string, string, string])[] = [
  ['additional networks', 'k8s.cni.cncf.io', 'several interfaces for a pod, of which this driver uses nothing yet'],
  ['virtual machines', 'kubevirt.io', 'units of environment vm, which this driver does not make yet'],
  ['projects', 'project.openshift.io', 'OpenShift: the namespace of the site is made as one'],
  ['routes', 'route.openshift.io', 'OpenShift: balancers that are reached from outside'],
  ['deployment configs', 'apps.openshift.io', 'OpenShift: a kind of object that units may be'],
  ['builds', 'build.openshift.io', 'OpenShift: images that are built from source'],
];

/** What the site can do, as the cluster says now. */
export async function fingerprintOf(world: World, nodes: Nodes, balancers: Balancers): Promise<Fingerprint> {
  const { cluster, config, siteId, discovery } = world;
  const signal = world.ask();
  const [hosts, version, groups, balancing, metrics] = await Promise.all([
    nodes.list(),
    cluster.get<{ readonly gitVersion: string }>('/version', signal),
    discovery.groups(signal),
    balancers.kinds(signal),
    metricsSource(world, signal),
  ]);
  const capabilities: readonly Capability[] = [
    { name: 'kubernetes', present: version !== undefined, note: version?.gitVersion ?? 'its version is not told' },
    {
      name: 'network policies',
      present: config.policies,
      note: config.policies
        ? 'said to be enforced by the configuration of the site'
        : 'they are written, and nothing is known to enforce them: networks are not kept apart',
    },
    {
      name: 'addresses',
      present: false,
      note:
        config.kuryr === undefined
          ? 'the cluster gives them, from the one network of all pods'
          : `the cloud of ${config.kuryr.site} gives them, from the network of a service that both sites are in`,
    },
    {
      name: 'balancers',
      present: balancing.length > 0,
      note:
        balancing.length > 0
          ? 'Services, whose addresses are of the range of the cluster unless the configuration says otherwise'
          : 'the user of the site may not write EndpointSlices, which say the members of a Service',
    },
    {
      name: 'metrics',
      present: metrics !== undefined,
      note: {
        kubelets: 'what units take, as the kubelets tell it',
        'metrics server':
          'the memory that units take, as the metrics server tells it; more is told by kubelets to who may get nodes/proxy',
        none: 'the cluster has no metrics server that the user of the site may ask, and the kubelets may not be asked (nodes/proxy)',
      }[metrics ?? 'none'],
    },
    ...GROUPS.map(([name, group, note]): Capability => ({ name, present: groups.has(group), note })),
    { name: 'sfc', present: false, note: 'no packets are steered through pods' },
    { name: 'data plane', present: false, note: 'the rules of the nodes of a cluster are not read by its users' },
  ];
  return {
    hosts,
    environments: [...offeredEnvironments(config)],
    balancing,
    capabilities,
    realPackets: true,
    locator: `${locatorOf(siteId)}::/48`,
    routerSid: routerSid(siteId),
  };
}
