import type { Node, Pod } from '@superfluidity/driver-kubernetes';
import {
  type KuryrPool,
  kuryrPoolSchema,
  type KuryrPort,
  kuryrPortSchema,
} from '@superfluidity/driver-kubernetes/kuryr';
import { kuryrLoadBalancerSchema, type KuryrLoadBalancer } from '../api/load-balancer.ts';
import { kuryrNetworkSchema, type KuryrNetwork } from '../api/network.ts';
import { kuryrNetworkPolicySchema, type KuryrNetworkPolicy } from '../api/network-policy.ts';
import { RESOURCES } from '../api/resources.ts';
import type { EventWriter } from '../kubernetes/events.ts';
import { Informer, type InformerWorld } from '../kubernetes/informer.ts';
import {
  type EndpointSlice,
  matches,
  type Namespace,
  type NetworkAttachmentDefinition,
  type NetworkPolicy,
  type Service,
  type Subject,
} from '../kubernetes/objects.ts';
import { ResourceStore } from './resource-store.ts';

/** What is known of the cluster, and how it is written: what all handlers work with. */
export interface World extends InformerWorld {
  readonly events: EventWriter;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly namespaces: Informer<Namespace>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly policies: Informer<NetworkPolicy>;
  readonly definitions: Informer<NetworkAttachmentDefinition>;
  readonly ports: ResourceStore<KuryrPort>;
  readonly networks: ResourceStore<KuryrNetwork>;
  readonly balancers: ResourceStore<KuryrLoadBalancer>;
  readonly rules: ResourceStore<KuryrNetworkPolicy>;
  readonly pools: ResourceStore<KuryrPool>;
  /** Whether objects of the namespace are ours to handle: others may be served by somebody else, or by nobody yet. */
  serves(namespace: string): boolean;
}

/** Makes of objects of one kind what they should be. Handlers decide when; drivers know how. */
export interface Handler {
  readonly name: string;
  /** Its objects are in no namespace, and handled whichever namespaces are served. */
  readonly isEverywhere?: boolean;
  /** See `WorkQueueOptions.handle`. */
  handle(key: string, signal: AbortSignal): Promise<number | undefined>;
  /** Whom failures are told of. */
  subject(key: string): Subject | undefined;
}

export function openWorld(
  parts: InformerWorld & { readonly events: EventWriter },
  served: Readonly<Record<string, string>>,
): World {
  const informer = <T extends { readonly metadata: { readonly name: string } }>(path: string) =>
    new Informer<T>(parts, path);
  const namespaces = informer<Namespace>('/api/v1/namespaces');
  const selector = { matchLabels: served };
  return {
    ...parts,
    serves: (name) => {
      const namespace = namespaces.get(name);
      return namespace !== undefined && matches(selector, namespace);
    },
    namespaces,
    pods: informer<Pod>('/api/v1/pods'),
    nodes: informer<Node>('/api/v1/nodes'),
    services: informer<Service>('/api/v1/services'),
    slices: informer<EndpointSlice>('/apis/discovery.k8s.io/v1/endpointslices'),
    policies: informer<NetworkPolicy>('/apis/networking.k8s.io/v1/networkpolicies'),
    definitions: informer<NetworkAttachmentDefinition>('/apis/k8s.cni.cncf.io/v1/network-attachment-definitions'),
    ports: new ResourceStore<KuryrPort>(parts, RESOURCES.ports, kuryrPortSchema),
    networks: new ResourceStore<KuryrNetwork>(parts, RESOURCES.networks, kuryrNetworkSchema),
    balancers: new ResourceStore<KuryrLoadBalancer>(parts, RESOURCES.balancers, kuryrLoadBalancerSchema),
    rules: new ResourceStore<KuryrNetworkPolicy>(parts, RESOURCES.policies, kuryrNetworkPolicySchema),
    pools: new ResourceStore<KuryrPool>(parts, RESOURCES.pools, kuryrPoolSchema),
  };
}
