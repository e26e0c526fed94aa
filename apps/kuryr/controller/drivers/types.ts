import type { Node, Pod } from '@superfluidity/driver-kubernetes';
import type { Plugging, Spare } from '@superfluidity/driver-kubernetes/kuryr';
import type { PoolPort, PortPlace, PortsBackend } from '@superfluidity/fabric';
import type { Namespace } from '../../kubernetes/objects.ts';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import type { KuryrNetwork } from '../../api/network.ts';
import type { PolicyRule } from '../../api/network-policy.ts';

/**
 * What handlers do not decide: each of these has several kinds, chosen by name in the configuration, as in Kuryr
 * (`pod_project`, `pod_subnets`, `pod_security_groups`, `pod_vif`, `lbaas`).
 */

/** Whose objects of the cloud are those of a namespace. */
export interface ProjectDriver {
  readonly kind: ProjectKind;
  /** Id of a project. Empty: that of the controller's credentials. Throws `SF-KURYR-ANNOTATION`. */
  of(namespace: Namespace | undefined): string;
}

/** A network in which pods can be, in words of the fabric that is used. */
export interface PodSubnet {
  readonly networkId: string;
  readonly subnetId: string;
  /** With prefix length: 10.0.0.0/16. */
  readonly cidr: string;
  readonly gateway?: string;
  readonly mtu: number;
  readonly routes: readonly { readonly destination: string; readonly nextHop: string }[];
}

export interface SubnetDriver {
  readonly kind: SubnetKind;
  /** Throws `SF-KURYR-NOT-READY` while it is being made, `SF-KURYR-ANNOTATION`. */
  of(namespace: string, node: Node, signal: AbortSignal): Promise<PodSubnet>;
  /** Networks in which pods may be from now on, by their ids. Absent: those that there are do not go. */
  networks?(signal: AbortSignal): Promise<ReadonlySet<string>>;
}

export interface GroupDriver {
  readonly kind: GroupKind;
  /** Ids of security groups. Throws `SF-KURYR-NOT-READY` while one is being made. */
  of(pod: Pod, project: string, signal: AbortSignal): Promise<readonly string[]>;
  /** What policies close of it, where nodes carry them out. Absent: groups do that, or nothing does. */
  isolated?(pod: Pod): readonly PolicyRule['direction'][];
}

/** An interface beside that of the cluster. */
export interface Attachment {
  /** In the pod. */
  readonly name: string;
  /** The NetworkAttachmentDefinition: `NAMESPACE/NAME`. */
  readonly network: string;
  readonly subnet: PodSubnet;
  /** Ids of security groups. */
  readonly groups: readonly string[];
}

export interface AttachmentDriver {
  readonly kind: AttachmentKind;
  /** Those that the pod asks for. Throws `SF-KURYR-ANNOTATION`, `SF-KURYR-ATTACHMENT`. */
  of(pod: Pod, node: Node, signal: AbortSignal): Promise<readonly Attachment[]>;
}

/** How interfaces of pods are made and connected, for nodes of one kind. */
export interface VifType {
  readonly kind: VifKind;
  readonly backend: PortsBackend;
  /** Where ports of this node are: its name, the id of its trunk, ... Throws `SF-KURYR-NODE`. */
  at(node: Node, signal: AbortSignal): Promise<string>;
  /** Throws `SF-KURYR-NODE` where packets of this network are too large for the node's own port. */
  carries?(node: Node, subnet: PodSubnet, signal: AbortSignal): Promise<void>;
  plugging(port: PoolPort): Plugging;
  /** Under which ports of it are found again: never empty where a cloud has projects. */
  project(asked: string): Promise<string>;
  /** Whether ports carry traffic as soon as they are handed out. Else they do when they are plugged, and `active` says it. */
  readonly activeAtOnce: boolean;
  /** Its ports are made in no time: nobody is asked for them. */
  readonly isInstant?: true;
  /** Those of these that carry traffic. */
  active(ids: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Where the daemon of a node plugs ports while they lie in its pool. */
  readonly ahead?: {
    /** Of which node a place is. Undefined as long as that is not known. */
    nodeOf(place: PortPlace): string | undefined;
    /** What the daemon is told of a port that lies ready. */
    spare(port: PoolPort, signal: AbortSignal): Promise<Spare>;
  };
  /** What has no memory of its own is told what is in use before anything else. */
  adopt?(ports: readonly PoolPort[]): void;
}

/** Networks of namespaces, where each has its own. */
export interface NetworkDriver {
  /** Idempotent. `subnets` are prefixes of all namespaces that have one. */
  ensure(
    network: KuryrNetwork,
    taken: readonly string[],
    signal: AbortSignal,
  ): Promise<KuryrNetwork['status'] & object>;
  /** Ports of pools are gone by then. What is not there is removed. */
  remove(network: KuryrNetwork, signal: AbortSignal): Promise<void>;
}

export type BalancerStatus = Omit<KuryrLoadBalancer['status'] & object, 'observed' | 'members'>;

/** What a Service becomes. */
export interface BalancerDriver {
  readonly kind: BalancerKind;
  /** Idempotent: creates it, or makes of what is there what is wanted. */
  ensure(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<BalancerStatus>;
  remove(balancer: KuryrLoadBalancer, signal: AbortSignal): Promise<void>;
}

/** What a NetworkPolicy becomes. */
export interface PolicyDriver {
  /** There are no groups. */
  readonly byNodes?: true;
  /** Id of the group that lets these pass from now on, and nothing else; empty where nodes enforce them. */
  ensure(policy: PolicyWish, signal: AbortSignal): Promise<string>;
  /**
   * Groups that are there for the resource of this uid, by `named`: also those of which nobody could write down that they were made.
   * Absent where there are no groups.
   */
  made?(uid: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Of pods that no policy closes in this direction: lets all pass. */
  open(project: string, direction: 'ingress' | 'egress', signal: AbortSignal): Promise<string>;
  /** Whoever has the group lets go of it first. */
  remove(groupId: string, signal: AbortSignal): Promise<void>;
}

export interface PolicyWish {
  readonly namespace: string;
  readonly name: string;
  /** Of the resource. */
  readonly uid: string;
  readonly project: string;
  /** Of what a name of a port means in some of its pods, such as `TCP/web/8080`. Empty: of all of them. */
  readonly named: string;
  readonly rules: readonly PolicyRule[];
}

export const projectKinds = ['default', 'annotation'] as const;
export const subnetKinds = ['default', 'namespace', 'annotation'] as const;
export const groupKinds = ['default', 'policy'] as const;
export const attachmentKinds = ['none', 'annotation'] as const;
export const vifKinds = ['neutron-vif', 'nested-vlan', 'nested-macvlan', 'linux'] as const;
export const balancerKinds = ['octavia', 'linux', 'none'] as const;
export type ProjectKind = (typeof projectKinds)[number];
export type SubnetKind = (typeof subnetKinds)[number];
export type GroupKind = (typeof groupKinds)[number];
export type AttachmentKind = (typeof attachmentKinds)[number];
export type VifKind = (typeof vifKinds)[number];
export type BalancerKind = (typeof balancerKinds)[number];
