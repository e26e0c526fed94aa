import type { Condition, KubeObject, Meta, Pod } from '@superfluidity/driver-kubernetes';

/** What is read of objects of Kubernetes besides what the driver of sites reads. */

export interface Service extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
    readonly sessionAffinity?: 'None' | 'ClientIP';
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
    readonly ports?: readonly {
      readonly name?: string;
      readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
      readonly port: number;
    }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean | null };
        readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
      }[]
    | null;
  readonly ports?:
    | readonly { readonly name?: string | null; readonly protocol?: string | null; readonly port?: number | null }[]
    | null;
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export interface PolicyPort {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly { readonly ports?: readonly PolicyPort[]; readonly from?: readonly PolicyPeer[] }[];
    readonly egress?: readonly { readonly ports?: readonly PolicyPort[]; readonly to?: readonly PolicyPeer[] }[];
  };
}

/** Of k8s.cni.cncf.io/v1, which the cluster may not have. */
export interface NetworkAttachmentDefinition extends KubeObject {
  readonly spec?: { readonly config?: unknown };
}

export interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  };
}

/** Of any kind, named by kind and place: what events are about. */
export interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<Meta, 'name' | 'namespace' | 'uid'>;
}

export const subjectOf = (apiVersion: string, kind: string, { metadata }: KubeObject): Subject => ({
  apiVersion,
  kind,
  metadata,
});

/** `namespace/name`, or the name of what is in no namespace. */
export const keyOf = ({ metadata: { namespace, name } }: KubeObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

export const namespaceIn = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));
export const nameIn = (key: string): string => key.slice(key.indexOf('/') + 1);

/** Uid of what it goes with. */
export function ownerIn(object: unknown): string | undefined {
  const { metadata } = object as {
    readonly metadata: { readonly ownerReferences?: readonly { readonly uid: string }[] };
  };
  return metadata.ownerReferences?.[0]?.uid;
}

/** Its containers have ended and are not started again: what it used is free. */
export const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

export function matches({ matchLabels = {}, matchExpressions = [] }: LabelSelector, { metadata }: KubeObject): boolean {
  const labels = metadata.labels ?? {};
  const has = (key: string) => Object.hasOwn(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return has(key) && values.includes(labels[key]!);
        case 'NotIn':
          return !has(key) || !values.includes(labels[key]!);
        case 'Exists':
          return has(key);
        case 'DoesNotExist':
          return !has(key);
      }
    })
  );
}
