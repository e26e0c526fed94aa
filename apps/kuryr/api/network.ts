import { objectMeta } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';

/** The network of a namespace, where each has its own: made by the controller, in its namespace and under its name. */
export const NETWORK_FINALIZER = 'superfluidity.dev/kuryr-network';

export const kuryrNetworkSchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    namespace: z.string(),
    /** Id of the project of the cloud whose it is. Empty: that of the controller's credentials. */
    project: z.string(),
  }),
  /** Absent until it can be used. */
  status: z
    .object({
      networkId: z.string(),
      subnetId: z.string(),
      /** With prefix length: 10.64.3.0/24. */
      cidr: z.string(),
      gateway: z.string().optional(),
      routerId: z.string().optional(),
      mtu: z.int().min(576).max(65_535),
    })
    .optional(),
});
export type KuryrNetwork = z.infer<typeof kuryrNetworkSchema>;
