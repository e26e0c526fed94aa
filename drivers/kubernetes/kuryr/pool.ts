import { z } from 'zod';
import { objectMeta } from './object-meta.ts';

/** What a KuryrPool is: read by sites, by the daemons of Kuryr and by its controller, which writes it. */

export const KURYR_POOLS = 'kuryrpools';

/** Told of one pool at most: what one object of the API server may well be large. */
export const SPARES_MOST = 512;

const count = z.int().min(0);

/** A port that lies ready in the pool of a node. The daemon of the node plugs it before a pod has it. */
const spare = z.object({
  id: z.string().min(1).max(64),
  mac: z.string().regex(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  mtu: z.int().min(576).max(65_535),
  plugging: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('ovs'),
      bridge: z.string().min(1).max(64),
      interfaceId: z.string().min(1).max(64),
    }),
    z.object({ kind: z.literal('vlan'), id: z.int().min(1).max(4_094) }),
  ]),
});
export type Spare = z.infer<typeof spare>;

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
  metadata: objectMeta,
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
      /** Of those that are ready: they carry traffic already. Here and below: absent where nobody plugs ports before pods have them. */
      active: count.optional(),
      /** Of the hits: they carried none yet. */
      late: count.optional(),
      spares: z.array(spare).max(SPARES_MOST).optional(),
      trouble: report.optional(),
    })
    .optional(),
});
export type KuryrPool = z.infer<typeof kuryrPoolSchema>;
