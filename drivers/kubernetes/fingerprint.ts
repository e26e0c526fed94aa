import { locatorOf, routerSid } from '@superfluidity/fabric';
import type { Fingerprint } from '@superfluidity/site';
import { offeredEnvironments } from './manifest.ts';
import type { Nodes } from './nodes.ts';
import type { World } from './world.ts';

type Capability = Fingerprint['capabilities'][number];

/** Groups of the API that clusters have or have not, with what they are for. */
const GROUPS: readonly (readonly [string, string, string])[] = [
  ['metrics', 'metrics.k8s.io', 'what pods use'],
  ['additional networks', 'k8s.cni.cncf.io', 'several interfaces for a pod'],
  ['virtual machines', 'kubevirt.io', 'units of environment vm, which this driver does not make yet'],
  ['routes', 'route.openshift.io', 'OpenShift, of which this driver uses nothing yet'],
];

/** What the site can do, as the cluster says now. */
export async function fingerprintOf(world: World, nodes: Nodes): Promise<Fingerprint> {
  const { cluster, config, siteId } = world;
  const signal = world.ask();
  const [hosts, version, groups] = await Promise.all([
    nodes.list(),
    cluster.get<{ readonly gitVersion: string }>('/version', signal),
    cluster.get<{ readonly groups: readonly { readonly name: string }[] }>('/apis', signal),
  ]);
  const known = new Set(groups?.groups.map(({ name }) => name));
  const capabilities: readonly Capability[] = [
    { name: 'kubernetes', present: version !== undefined, note: version?.gitVersion ?? 'its version is not told' },
    {
      name: 'network policies',
      present: config.policies,
      note: config.policies
        ? 'said to be enforced by the configuration of the site'
        : 'they are written, and nothing is known to enforce them: networks are not kept apart',
    },
    { name: 'addresses', present: false, note: 'the cluster gives them, from the one network of all pods' },
    ...GROUPS.map(([name, group, note]): Capability => ({ name, present: known.has(group), note })),
    { name: 'sfc', present: false, note: 'no packets are steered through pods' },
    { name: 'data plane', present: false, note: 'the rules of the nodes of a cluster are not read by its users' },
  ];
  return {
    hosts,
    environments: [...offeredEnvironments],
    balancing: [],
    capabilities,
    realPackets: true,
    locator: `${locatorOf(siteId)}::/48`,
    routerSid: routerSid(siteId),
  };
}
