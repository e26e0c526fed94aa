import type { DriverKind } from '@superfluidity/site';
import { configSchema, readConfig } from './config.ts';
import './errors.ts';
import { KubernetesSite } from './site.ts';

/** Sites that are namespaces of Kubernetes clusters: units are pods. */
export const kubernetesDriver = {
  kind: 'kubernetes',
  configSchema,
  // What lies between a cluster and other sites is its operator's; chains across it are refused, and not cut in two unseen.
  joins: () => ({ kinds: [] }),
  sharesNetworks: ({ kuryr }) => {
    const site = typeof kuryr === 'object' && kuryr !== null && 'site' in kuryr ? kuryr.site : undefined;
    // Kuryr puts all pods of a namespace into the one subnet that is written at it.
    return typeof site === 'string' ? { site, kind: 'openstack', atMost: 1 } : undefined;
  },
  // All that it needs is on the other side of the network.
  missing: async () => [],
  open: async (options) => KubernetesSite.open(options, readConfig(options.name, options.config)),
} as const satisfies DriverKind;

export { kubernetesSiteErrors } from './errors.ts';

/** For programs that run inside of clusters. */
export { Cluster, isConflict, statusIn } from './cluster.ts';
export { runInside } from './exec.ts';
export { readConfig as readClusterConfig } from './config.ts';
export { KuryrPools } from './pools.ts';
export type { Condition, KubeObject, Meta, Node, Pod } from './objects.ts';
export { ObjectWatch } from './watch.ts';
