/** What policies of a cluster are about, as its API lists it (core/v1, networking.k8s.io/v1); only what is looked at. */
export interface ClusterState {
  readonly pods: readonly ClusterPod[];
  /** Labels by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly policies: readonly NetworkPolicy[];
  readonly nodes: readonly ClusterNode[];
  /** Namespaces whose policies somebody carries out; pods of others are peers and nothing else. Absent: all. */
  readonly served?: ReadonlySet<string>;
}

export type Labels = Readonly<Record<string, string>>;
export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type Direction = 'ingress' | 'egress';

export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Absent: none has it yet. */
  readonly node?: string;
  /** Of both families, as text. */
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  /** Its containers have ended, and what it used is free. */
  readonly isOver: boolean;
  /** Ports with a name, of containers and of init containers that go on beside them. */
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly number: number }[];
}

export interface ClusterNode {
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: LabelSelector;
  readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

/** `peers` are `from` of what comes in, and `to` of what goes out. */
export interface PolicyRule {
  readonly peers?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PolicyPort {
  readonly protocol?: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export const podName = ({ namespace, name }: ClusterPod): string => `${namespace}/${name}`;

/** Pods that policies are about: they have an address of their own, and run or are about to. */
export const isSubject = ({ hostNetwork, isOver, addresses }: ClusterPod): boolean =>
  !hostNetwork && !isOver && addresses.length > 0;

/** Of those, the ones whose policies somebody carries out. */
export const subjectsOf = ({ pods, served }: ClusterState): readonly ClusterPod[] =>
  pods.filter((pod) => isSubject(pod) && (served?.has(pod.namespace) ?? true));

/** All requirements hold; an empty selector selects everything (LabelSelector of meta/v1). */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  const valueOf = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = valueOf(key);
      switch (operator) {
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
      }
    })
  );
}
