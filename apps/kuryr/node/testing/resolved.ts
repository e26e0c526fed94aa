import type { Pod } from '@superfluidity/driver-kubernetes';
import type { ClusterPod, ClusterState, NetworkPolicy as ReadPolicy } from '@superfluidity/verify';
import type { KuryrNetworkPolicy } from '../../api/network-policy.ts';
import type { Namespace, NetworkPolicy } from '../../kubernetes/objects.ts';
import { resolvePolicy } from '../../controller/translate/policies.ts';

/** What the controller makes of the policies of a cluster, by namespace and name. */
export function resolvedPolicies({
  pods,
  namespaces,
  policies,
}: ClusterState): ReadonlyMap<string, KuryrNetworkPolicy> {
  const view = {
    pods: pods.map(podOf),
    namespaces: new Map<string, Namespace>(
      [...namespaces].map(([name, labels]) => [name, { metadata: { name, labels } }]),
    ),
    addressOf: (pod: Pod) => pod.status?.podIP,
  };
  return new Map(
    policies.map((policy): [string, KuryrNetworkPolicy] => {
      const { namespace, name } = policy;
      const spec = resolvePolicy(policyOf(policy), view);
      return [`${namespace}/${name}`, { metadata: { namespace, name }, spec, status: { groupId: '', observed: '' } }];
    }),
  );
}

/** As the API server has it. */
export function policyOf({ namespace, name, ingress, egress, ...spec }: ReadPolicy): NetworkPolicy {
  return {
    metadata: { namespace, name },
    spec: {
      ...spec,
      ...(ingress === undefined ? {} : { ingress: ingress.map(({ peers, ...rule }) => ({ ...rule, from: peers })) }),
      ...(egress === undefined ? {} : { egress: egress.map(({ peers, ...rule }) => ({ ...rule, to: peers })) }),
    },
  } as unknown as NetworkPolicy;
}

export const podOf = ({ namespace, name, labels, node, addresses, hostNetwork, isOver, ports }: ClusterPod): Pod =>
  ({
    metadata: { namespace, name, labels },
    spec: {
      nodeName: node,
      hostNetwork,
      containers: [{ ports: ports.map(({ number, ...port }) => ({ ...port, containerPort: number })) }],
    },
    status: { podIP: addresses[0], phase: isOver ? 'Succeeded' : 'Running' },
  }) as unknown as Pod;
