import { z } from 'zod';

/**
 * What the controller and the daemons on the nodes say to each other, in custom resources: the controller writes what a
 * pod's interfaces are to be, the daemon of the pod's node plugs them. The daemon needs the API of Kubernetes alone, never
 * that of a cloud. As KuryrPort of Kuryr-Kubernetes 2024, with plain JSON in the place of serialised os-vif objects.
 */
export const GROUP = 'superfluidity.dev';
export const VERSION = 'v1';
/** On a KuryrPort: the node of its pod, so that a daemon watches its own alone. */
export const NODE_LABEL = 'superfluidity.dev/node';
export const PORT_FINALIZER = 'superfluidity.dev/kuryr-port';

/** How an interface gets to the network: decided by the controller, carried out by the daemon. */
const plugging = z.discriminatedUnion('kind', [
  /** A veth pair into Open vSwitch; the agent of the cloud finds the port by these external ids. */
  z.object({ kind: z.literal('ovs'), bridge: z.string(), interfaceId: z.string() }),
  /** A veth pair into a bridge of Linux, of the node's name space or that of the built-in fabric. */
  z.object({ kind: z.literal('bridge'), bridge: z.string() }),
  /** A VLAN of the node's own port, which is the parent of a trunk: 802.1Q of the kernel, or a tag in Open vSwitch. */
  z.object({ kind: z.literal('vlan'), id: z.int().min(1).max(4094) }),
  /** A macvlan in bridge mode over the node's own interface, whose port allows the pair of addresses. */
  z.object({ kind: z.literal('macvlan') }),
]);

const interfaceSchema = z.object({
  /** The id of the port in the cloud or the fabric. */
  id: z.string(),
  mac: z.string(),
  /** With prefix length: 10.0.0.5/24. */
  addresses: z.array(z.string()).min(1),
  gateway: z.string().optional(),
  routes: z.array(z.object({ destination: z.string(), nextHop: z.string() })),
  mtu: z.int().min(576).max(65_535),
  /** It carries traffic already (a port in a pool does); otherwise the daemon plugs it and waits for this to come. */
  active: z.boolean(),
  /** It has the default route, and is the one that Kubernetes knows. */
  isDefault: z.boolean(),
  /** The NetworkAttachmentDefinition by which it was asked for. Absent: it is in the network of the cluster. */
  network: z.string().optional(),
  plugging,
});

export const kuryrPortSchema = z.object({
  metadata: z.object({
    /** Namespace and name are those of the pod. */
    namespace: z.string(),
    name: z.string(),
    resourceVersion: z.string().optional(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ podUid: z.string(), node: z.string() }),
  /** By name in the pod: eth0. Absent until the controller has them. */
  status: z.object({ interfaces: z.record(z.string(), interfaceSchema) }).optional(),
});

export type Plugging = z.infer<typeof plugging>;
export type PodInterface = z.infer<typeof interfaceSchema>;
export type KuryrPort = z.infer<typeof kuryrPortSchema>;
