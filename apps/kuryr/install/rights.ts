import { KURYR_GROUP } from '@superfluidity/driver-kubernetes/kuryr';
import { type Resource, RESOURCES } from '../api/resources.ts';
import type { KuryrConfig } from '../controller/config.ts';

/** Of rbac.authorization.k8s.io/v1. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const WATCH = ['list', 'watch'] as const;

const rule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});

const TOLD = rule('', ['events'], ['create', 'patch']);

/** Those that the controller writes when it is configured like this. */
function resourcesOf({ drivers }: KuryrConfig): readonly Resource[] {
  return [
    RESOURCES.ports,
    ...(drivers.subnet === 'namespace' ? [RESOURCES.networks] : []),
    ...(drivers.balancer === 'none' ? [] : [RESOURCES.balancers]),
    ...(drivers.groups === 'policy' ? [RESOURCES.policies] : []),
  ];
}

/** What the controller asks of the API server in all namespaces: no more than its configuration makes it ask. */
export function controllerRules(config: KuryrConfig): readonly Rule[] {
  const resources = resourcesOf(config);
  const own = resources.map(({ plural }) => plural);
  const apart = resources.filter(({ isWhole }) => isWhole !== true).map(({ plural }) => plural);
  const balances = config.drivers.balancer !== 'none';
  return [
    rule('', ['pods', 'nodes', 'namespaces', ...(balances ? ['services'] : [])], WATCH),
    ...(balances
      ? [rule('discovery.k8s.io', ['endpointslices'], WATCH), rule('', ['services/status'], ['patch'])]
      : []),
    ...(config.drivers.attachments === 'none'
      ? []
      : [
          rule('k8s.cni.cncf.io', ['network-attachment-definitions'], WATCH),
          // Where the annotation of its networks is written: who may patch a pod itself may have it run anything.
          rule('', ['pods/status'], ['patch']),
        ]),
    ...(config.drivers.groups === 'policy' ? [rule('networking.k8s.io', ['networkpolicies'], WATCH)] : []),
    // Orders are written by who gives them; the controller tells what became of them.
    rule(KURYR_GROUP, [RESOURCES.pools.plural], [...WATCH, 'create', 'delete']),
    rule(KURYR_GROUP, [`${RESOURCES.pools.plural}/status`], ['patch']),
    rule(KURYR_GROUP, own, [...WATCH, 'create', 'patch']),
    // A network goes with its namespace.
    rule(
      KURYR_GROUP,
      own.filter((plural) => plural !== RESOURCES.networks.plural),
      ['delete'],
    ),
    ...(apart.length === 0
      ? []
      : [
          rule(
            KURYR_GROUP,
            apart.map((plural) => `${plural}/status`),
            ['patch'],
          ),
        ]),
    TOLD,
  ];
}

/** In the namespace of the lease. What is made has no name yet when it is asked whether it may be. */
export function leaseRules({ lease }: KuryrConfig): readonly Rule[] {
  const leases = rule('coordination.k8s.io', ['leases'], ['create']);
  return [leases, { ...leases, resourceNames: [lease.name], verbs: ['get', 'patch'] }];
}

/**
 * A daemon asks for the ports of its node and what lies ready in its pools, which Kubernetes cannot allow it alone, and for all
 * Services and policies; of those that its node cannot carry out it writes events.
 */
export const daemonRules = (): readonly Rule[] => [
  rule(
    KURYR_GROUP,
    [RESOURCES.ports.plural, RESOURCES.pools.plural, RESOURCES.balancers.plural, RESOURCES.policies.plural],
    WATCH,
  ),
  TOLD,
];
