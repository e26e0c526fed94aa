import { objectMeta } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';

/** A NetworkPolicy with its selectors resolved: what may pass, by address. Named like the policy. */
export const POLICY_FINALIZER = 'superfluidity.dev/kuryr-network-policy';

/** As NetworkPolicies name them. */
export const DIRECTIONS = ['ingress', 'egress'] as const;

const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
const rule = z.object({
  direction: z.enum(DIRECTIONS),
  /** Absent: any. */
  protocol: protocol.optional(),
  /** Both or none. */
  portFirst: z.int().min(1).max(65_535).optional(),
  portLast: z.int().min(1).max(65_535).optional(),
  /** The other end: 10.0.0.5/32. */
  cidr: z.string(),
});
export type PolicyRule = z.infer<typeof rule>;

export const kuryrNetworkPolicySchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    /** Directions of which only what the rules say passes; the other one is left open. */
    isolates: z.array(z.enum(DIRECTIONS)),
    rules: z.array(rule),
    /** Names of the pods of its namespace that it selects. */
    pods: z.array(z.string()),
    /** What names of ports mean, and what else may come to those of its pods in which they mean that. */
    named: z
      .array(
        z.object({
          protocol,
          port: z.string(),
          number: z.int().min(1).max(65_535),
          pods: z.array(z.string()),
          rules: z.array(rule),
        }),
      )
      .optional(),
  }),
  status: z
    .object({
      /** Of the security group in the cloud. Empty: the nodes enforce it. */
      groupId: z.string(),
      /** Likewise, of what names of ports mean: by `TCP/web/8080`. Those of pods have the one above as well. */
      named: z.record(z.string(), z.string()).optional(),
      /** Of the rules that were carried out last, as digest. */
      observed: z.string(),
    })
    .optional(),
});
export type KuryrNetworkPolicy = z.infer<typeof kuryrNetworkPolicySchema>;
