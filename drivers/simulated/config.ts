import { SuperfluidityError } from '@superfluidity/core';
import { environments, storageKinds } from '@superfluidity/model';
import { z } from 'zod';

const milliseconds = z.number().min(0).max(86_400_000);
const zero = { kind: 'fixed', ms: 0 } as const;

const latencyModel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), ms: milliseconds }),
  z.strictObject({ kind: z.literal('normal'), meanMs: milliseconds, deviationMs: milliseconds }),
  z.strictObject({ kind: z.literal('lognormal'), medianMs: milliseconds, sigma: z.number().min(0).max(3) }),
]);
export type LatencyModel = z.infer<typeof latencyModel>;

const hostSize = {
  cpu: z.number().positive().default(16),
  memoryMiB: z.number().positive().default(65_536),
  storageMiB: z.number().positive().default(1_048_576),
  environments: z
    .array(z.enum(environments))
    .min(1)
    .default([...environments]),
  accelerators: z.array(z.string()).default([]),
};

const schema = z.strictObject({
  hosts: z
    .union([
      z.strictObject({
        count: z.int().min(1).max(100_000),
        hostsPerRack: z.int().min(1).max(100).exactOptional().describe('They stand in racks r1, r2, … of so many.'),
        ...hostSize,
      }),
      z
        .array(
          z.strictObject({
            name: z.string().min(1).max(63),
            rack: z.string().min(1).max(63).exactOptional(),
            rackUnit: z.int().min(1).max(100).exactOptional().describe('From the bottom of the rack.'),
            ...hostSize,
          }),
        )
        .min(1)
        .max(100_000),
    ])
    .prefault({ count: 4 })
    .describe('How many hosts of one size, or a list of hosts.'),
  storage: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(63),
        kind: z.enum(storageKinds),
        capacityMiB: z.number().positive(),
        usedMiB: z.number().min(0).default(0).describe('What others take of it.'),
        rack: z.string().max(63).exactOptional(),
        host: z.string().max(63).exactOptional(),
      }),
    )
    .max(10_000)
    .default([])
    .describe(
      'Tiers of storage. What a unit takes is taken of the first that is on its host, in its rack, or everywhere.',
    ),
  locator: z
    .string()
    .regex(/^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2}$/)
    .optional()
    .describe('First 48 bits of the segment identifiers, as fd00:5f:1. Default: derived from the name of the site.'),
  seed: z.int().min(0).default(1).describe('Equal seeds give equal latencies and equal failures.'),
  latency: z
    .strictObject({
      start: latencyModel.default(zero).describe('From the request to the unit that runs.'),
      startPooled: latencyModel.default(zero).describe('The same when the pool had one ready.'),
      prepare: latencyModel.default(zero).describe('To make one for the pool.'),
      remove: latencyModel.default(zero),
      fabric: latencyModel.default(zero).describe('Every change to networks, links, paths and balancers.'),
    })
    .prefault({}),
  failures: z
    .strictObject({
      probability: z.number().min(0).max(1).default(0).describe('That an attempt to start a unit fails.'),
      units: z
        .array(z.strictObject({ path: z.string(), times: z.int().min(1) }))
        .max(1000)
        .default([])
        .describe('The first attempts to start a unit of this path fail.'),
      neverReady: z.array(z.string()).default([]).describe('Paths of units whose health check never passes.'),
      missingImages: z.array(z.string()).default([]).describe('Images that cannot be found.'),
      hosts: z
        .array(z.strictObject({ host: z.string(), downAtMs: milliseconds, upAtMs: milliseconds.optional() }))
        .max(1000)
        .default([])
        .describe('Hosts that fail, and when after the site was opened.'),
    })
    .prefault({}),
  traffic: z
    .strictObject({
      flows: z.int().min(0).max(1_000_000).default(8).describe('Flows in each active chain.'),
      flowLifetimeMs: milliseconds
        .default(500)
        .describe('After this time no flow is left on a version that was replaced.'),
      requestIntervalMs: z
        .number()
        .min(1)
        .max(60_000)
        .default(100)
        .describe('Between two requests of a unit with telemetry.'),
      profile: z
        .array(z.strictObject({ afterMs: milliseconds, requestIntervalMs: z.number().min(1).max(60_000) }))
        .max(1_000)
        .refine(
          (steps) => steps.every(({ afterMs }, i) => i === 0 || afterMs > steps[i - 1]!.afterMs),
          'afterMs must grow',
        )
        .default([])
        .describe(
          'From so long after the start of such a unit on, its requests come at this interval: load that rises and falls.',
        ),
      serviceMs: latencyModel
        .default({ kind: 'lognormal', medianMs: 2, sigma: 0.25 })
        .describe('What a request takes besides the network.'),
    })
    .prefault({}),
  persist: z
    .boolean()
    .default(false)
    .describe(
      'Keep the site in a file of the state folder: it outlives the server, and servers that share the folder share it.',
    ),
});
export type SimulatedConfig = z.infer<typeof schema>;

export const configSchema: Readonly<Record<string, unknown>> = z.toJSONSchema(schema, { io: 'input' });

export function parseConfig(site: string, config: unknown): SimulatedConfig {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new SuperfluidityError('SF-SITE-CONFIG', {
    doing: `open site ${site}`,
    reason: z.prettifyError(parsed.error),
    data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  });
}

/** Bounds of this package. */
export const limits = {
  unitsPerCall: 200_000,
  /** Events that wait for a slow reader. */
  eventsQueued: 1024,
  /** Lines that one `readOutput` returns. */
  linesPerRead: 1000,
  /** A health check without a limit of its own. */
  readyTimeoutMs: 30_000,
  /** How often changes of other servers are looked for, for those who watch. */
  pollMs: 200,
  /** Activations of one chain that telemetry of the past can still be made from. */
  activationsKept: 64,
  poolConcurrency: 8,
  /** Terminals that are open in one site at a time. */
  terminals: 64,
  /** The file of one site: some 1.5 million units started, at 300 bytes each. */
  journalBytes: 512 * 1024 * 1024,
} as const;
