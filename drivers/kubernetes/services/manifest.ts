import type { BalancerMember, BalancerSpec } from '@superfluidity/fabric';
import type { KubernetesConfig } from '../config.ts';
import { LIMITS } from '../config.ts';
import { LABELS, MANAGER } from '../marks.ts';
import type { KubeObject } from '../objects.ts';
import type { World } from '../world.ts';

export const SLICES = 'discovery.k8s.io/v1';
export const SERVICE_NAME = 'kubernetes.io/service-name';

export interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalIPs?: readonly string[];
    readonly loadBalancerIP?: string;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: 'IPv4';
  readonly ports: readonly { readonly name: string; readonly protocol: 'TCP' | 'UDP'; readonly port: number }[];
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
}

/** A Service without a selector: its members are told to it, as they are told to the driver. */
export function serviceOf(world: World, spec: BalancerSpec): Service {
  const { cluster, config, marks } = world;
  const { persistence } = spec;
  const timeoutMs = persistence?.timeoutMs;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: marks.balancerName(spec.id),
      namespace: cluster.namespace,
      labels: labelsOf(world, spec),
    },
    spec: {
      ...addressOf(config, spec.address),
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: persistence === undefined ? 'None' : 'ClientIP',
      ...(timeoutMs === undefined
        ? {}
        : { sessionAffinityConfig: { clientIP: { timeoutSeconds: Math.max(1, Math.ceil(timeoutMs / 1_000)) } } }),
      ports: [{ name: '', protocol: protocolOf(spec), port: spec.port, targetPort: spec.port }],
    },
  } as Service;
}

function addressOf({ services }: KubernetesConfig, address: string): NonNullable<Service['spec']> {
  switch (services.addresses) {
    case 'cluster':
      return { type: 'ClusterIP', clusterIP: address };
    case 'external':
      return { type: 'ClusterIP', externalIPs: [address] };
    case 'load-balancer':
      return { type: 'LoadBalancer', loadBalancerIP: address };
  }
}

/** One slice for each port of members, and more where there are many. */
export function slicesOf(world: World, spec: BalancerSpec): readonly EndpointSlice[] {
  const { cluster, marks } = world;
  const name = marks.balancerName(spec.id);
  const byPort = Map.groupBy(spec.members, ({ port }) => port);
  return [...byPort].flatMap(([port, members]) =>
    chunks(members, LIMITS.endpoints).map(
      (some, index): EndpointSlice => ({
        apiVersion: SLICES,
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${port}-${index}`,
          namespace: cluster.namespace,
          labels: {
            ...labelsOf(world, spec),
            [SERVICE_NAME]: name,
            // Kubernetes leaves slices of other managers alone.
            'endpointslice.kubernetes.io/managed-by': MANAGER,
          },
        },
        addressType: 'IPv4',
        ports: [{ name: '', protocol: protocolOf(spec), port }],
        endpoints: some.map(endpointOf),
      }),
    ),
  );
}

/** One that drains keeps the flows that it has and gets no new ones, also when there is no other. */
function endpointOf({ address, draining }: BalancerMember): Endpoint {
  return { addresses: [address], conditions: { ready: !draining, serving: !draining, terminating: draining } };
}

function labelsOf({ marks }: World, spec: BalancerSpec): Readonly<Record<string, string>> {
  return marks.labels({ [LABELS.service]: spec.service, [LABELS.balancer]: spec.id });
}

function protocolOf({ layer }: BalancerSpec): 'TCP' | 'UDP' {
  return layer === 'udp' ? 'UDP' : 'TCP';
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
