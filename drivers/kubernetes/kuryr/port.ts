import { z } from 'zod';

/**
 * What a KuryrPort is. In them controller and daemons of Kuryr speak to each other: the controller writes what a pod's interfaces
 * are to be, the daemon of the pod's node plugs them. The daemon needs the API of Kubernetes alone, never that of a cloud. As
 * KuryrPort of Kuryr-Kubernetes 2024, with plain JSON in the place of serialised os-vif objects. Others read in them which
 * addresses pods have, and which ports of a cloud.
 */
export const KURYR_PORT = { kind: 'KuryrPort', plural: 'kuryrports' } as const;

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

export const podInterfaceSchema = z.object({
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

/** With of each interface what the reader asks about. */
export const kuryrPortOf = <I extends z.ZodType>(podInterface: I) =>
  z.object({
    metadata: z.object({
      /** Namespace and name are those of the pod. */
      namespace: z.string(),
      name: z.string(),
      resourceVersion: z.string().optional(),
      deletionTimestamp: z.string().optional(),
    }),
    spec: z.object({ podUid: z.string(), node: z.string() }),
    /** By name in the pod: eth0. Absent until the controller has them. */
    status: z
      .object({
        interfaces: z.record(z.string(), podInterface),
        /** What policies close, where nodes carry them out: closed before the first container starts, whatever the node knows of them yet. */
        isolated: z.array(z.enum(['ingress', 'egress'])).optional(),
      })
      .optional(),
  });
export const kuryrPortSchema = kuryrPortOf(podInterfaceSchema);

export type Plugging = z.infer<typeof plugging>;
export type PodInterface = z.infer<typeof podInterfaceSchema>;
export type KuryrPort = z.infer<typeof kuryrPortSchema>;
