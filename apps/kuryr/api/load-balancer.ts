import { objectMeta } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';

/** What balances the flows to a Service: named like it. Written out of the Service and its EndpointSlices. */
export const BALANCER_FINALIZER = 'superfluidity.dev/kuryr-load-balancer';

const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
const portNumber = z.int().min(1).max(65_535);
/** In ms, as Octavia bounds it. */
const silence = z.int().min(0).max(86_400_000);

const member = z.object({
  /** Of the pod, or what an EndpointSlice made by hand says. */
  address: z.string(),
  port: portNumber,
  /** Namespace and name of the pod, where it is one. */
  pod: z.string().optional(),
});

export const kuryrLoadBalancerSchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    /** The cluster IP. */
    address: z.string(),
    type: z.enum(['ClusterIP', 'LoadBalancer']),
    /** Id of the project of the cloud. Empty: that of the controller's credentials. */
    project: z.string(),
    /** Of type LoadBalancer: the external address that is asked for. */
    externalAddress: z.string().optional(),
    /** A client keeps its member for so long. */
    affinitySeconds: z.int().min(1).max(86_400).optional(),
    /** How long either side of a connection may say nothing. Absent: as the cloud has it; nodes end none. */
    timeouts: z.object({ clientMs: silence.optional(), memberMs: silence.optional() }).optional(),
    ports: z.array(
      z.object({
        /** Empty where the Service has one port without a name. */
        name: z.string(),
        protocol,
        port: portNumber,
        /** Those that are ready, in the order of their addresses. */
        members: z.array(member),
      }),
    ),
  }),
  status: z
    .object({
      /** Id in the cloud. Empty: the nodes balance. */
      balancerId: z.string(),
      provider: z.string(),
      address: z.string(),
      portId: z.string().optional(),
      external: z
        .object({
          id: z.string(),
          address: z.string(),
          /** Allocated by the controller, which gives it back; else the user's, who keeps it. */
          isOurs: z.boolean(),
        })
        .optional(),
      /** Of the spec that was carried out last, as digest. */
      observed: z.string(),
      members: z.int().min(0),
    })
    .optional(),
});
export type KuryrLoadBalancer = z.infer<typeof kuryrLoadBalancerSchema>;
