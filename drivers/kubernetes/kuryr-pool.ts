import { z } from 'zod';

/** What a KuryrPool is: read here and by Kuryr's controller, which writes it. */

/** Of the custom resources of Kuryr. */
export const KURYR_API = 'superfluidity.dev/v1';
export const KURYR_POOLS = 'kuryrpools';

const count = z.int().min(0);
const report = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  request: z.string().optional(),
  answer: z.string().optional(),
});

/**
 * A pool of interfaces for pods: of a node, a project and a network. Orders have numbers that grow; there is at most one that is not
 * carried out yet, and who gives one writes under the version that was read.
 */
export const kuryrPoolSchema = z.object({
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    finalizers: z.array(z.string()).optional(),
  }),
  spec: z.object({
    /** As people call it: `linux/PROJECT/NODE/NETWORK`. */
    pool: z.string(),
    /** Of the controller: there may be several in one cluster of Kubernetes. */
    cluster: z.string(),
    order: z
      .object({
        serial: z.int().min(1),
        do: z.enum(['populate', 'free']),
        /** Of populate: so many more, up to the maximum of the pool. */
        count: z.int().min(1).max(100_000).optional(),
      })
      .optional(),
  }),
  /** Absent until the controller has told it once. */
  status: z
    .object({
      /** The last order that was carried out. */
      order: count,
      minimum: count,
      maximum: count.optional(),
      batch: count,
      wanted: count,
      ready: count,
      making: count,
      waiting: count,
      inUse: count,
      hits: count,
      misses: count,
      recycled: count,
      failures: count,
      paused: z.boolean(),
      askedPerS: z.number(),
      refillMs: z.number(),
      /** Since when the oldest has lain in the pool (RFC 3339). */
      oldestAt: z.string().optional(),
      waits: z.object({ boundsMs: z.array(z.number()), counts: z.array(count), sumMs: z.number() }),
      shelves: z.array(z.object({ name: z.string(), ready: count })),
      trouble: report.optional(),
    })
    .optional(),
});
export type KuryrPool = z.infer<typeof kuryrPoolSchema>;
