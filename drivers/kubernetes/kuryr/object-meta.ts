import { z } from 'zod';

/** What is read of the metadata of Kuryr's resources. Their schema is that of Kubernetes. */
export const objectMeta = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).optional(),
});
