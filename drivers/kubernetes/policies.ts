import type { NetworkSpec } from '@superfluidity/fabric';
import type { TrafficRule } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { LABELS } from './marks.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

export const POLICIES = 'networking.k8s.io/v1';

interface Policy extends KubeObject {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress: readonly IngressRule[];
  };
}

interface Selector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: 'Exists' | 'DoesNotExist' }[];
}

interface IngressRule {
  readonly from: readonly unknown[];
  readonly ports?: readonly { readonly protocol: 'TCP' | 'UDP'; readonly port?: number }[];
}

/**
 * Units of a network hear those of the same network. Policies add up, a pod that two select hears what either allows: those
 * that have rules of their own are left to these.
 */
export function networkPolicyOf(world: World, spec: NetworkSpec): Policy {
  const labels = world.marks.labels({ [LABELS.service]: spec.service, [LABELS.network]: spec.id });
  const ofNetwork = world.marks.labels({ [LABELS.network]: spec.id });
  const plain = {
    matchLabels: ofNetwork,
    matchExpressions: [{ key: LABELS.ruled, operator: 'DoesNotExist' as const }],
  };
  const ingress = [{ from: membersOf(world, spec) }];
  return policy(world, world.marks.networkName(spec.id), labels, plain, ingress);
}

/** Who is in the network: pods, and where it is one of a cloud whatever else has an address of it. */
function membersOf({ marks, config }: World, { id, supernet }: Member): readonly unknown[] {
  const pods = { podSelector: { matchLabels: marks.labels({ [LABELS.network]: id }) } };
  return config.kuryr === undefined || supernet === undefined ? [pods] : [pods, { ipBlock: { cidr: supernet } }];
}

type Member = Pick<NetworkSpec, 'id'> & Partial<Pick<NetworkSpec, 'supernet'>>;

/** What a unit says of what may come to its port. Empty: nothing. */
export function unitPolicyOf(world: World, spec: UnitSpec, network: Member, allow: readonly TrafficRule[]): Policy {
  const { marks } = world;
  const labels = marks.labels({ [LABELS.service]: spec.service, [LABELS.unit]: spec.id });
  const selector = { matchLabels: marks.labels({ [LABELS.unit]: spec.id }) };
  const inside = membersOf(world, network);
  return policy(
    world,
    marks.rulesName(spec.id),
    labels,
    selector,
    allow.map((rule) => ingressOf(rule, inside)),
  );
}

function policy(
  world: World,
  name: string,
  labels: Readonly<Record<string, string>>,
  podSelector: Selector,
  ingress: readonly IngressRule[],
): Policy {
  return {
    apiVersion: POLICIES,
    kind: 'NetworkPolicy',
    metadata: { name, namespace: world.cluster.namespace, labels },
    spec: { podSelector, policyTypes: ['Ingress'], ingress },
  };
}

function ingressOf({ protocol, from, ports = [] }: TrafficRule, inside: readonly unknown[]): IngressRule {
  const sources = from === undefined ? inside : [{ ipBlock: { cidr: from } }];
  if (protocol === undefined && ports.length === 0) return { from: sources };
  const protocols = protocol === 'tcp' ? (['TCP'] as const) : protocol === 'udp' ? (['UDP'] as const) : BOTH;
  const all = protocols.flatMap((one) =>
    ports.length === 0 ? [{ protocol: one }] : ports.map((port) => ({ protocol: one, port })),
  );
  return { from: sources, ports: all };
}

const BOTH = ['TCP', 'UDP'] as const;
