import { z } from 'zod';
import { characteriseLimits as limits } from '../../errors.ts';

/**
 * What the program that runs experiments and the unit that makes their traffic say to each other: an order in a file, and
 * beside it a file of lines that grows. Both see the same files: the unit is a process on the machine of its site.
 */
export const ORDER_VARIABLE = 'SUPERFLUIDITY_ORDER';
export const answerFile = (order: string) => `${order}.answer`;

const configuration = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const trial = z.object({ rate: z.number(), durationMs: z.number(), sent: z.number(), lost: z.number() });

export const orderShape = z.object({
  useCase: z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()) }),
  service: z.object({
    configuration,
    addresses: z.record(z.string(), z.string()),
    experiment: z.int().min(0),
    share: z.number().gt(0).max(1).optional(),
  }),
  trials: z.array(trial).max(limits.trials),
});

export type Order = z.infer<typeof orderShape>;

export const answerShape = z.union([
  z.object({ alive: z.number() }),
  z.object({ begun: z.number() }),
  z.object({ trial }),
  z.object({ sample: z.object({ atMs: z.number(), metrics: z.record(z.string(), z.number()) }) }),
  z.object({ done: z.int().min(0) }),
  z.object({ failed: z.object({ code: z.string(), message: z.string() }) }),
]);

export type OrderAnswer = z.infer<typeof answerShape>;

/** How often the unit says that it is alive; after how long a silence it is taken not to be. */
export const HEARTBEAT_MS = 1_000;
export const SILENCE_MS = 60_000;
/** How long the unit waits for its order. */
export const ORDER_WAIT_MS = 3_600_000;
export const POLL_MS = 20;
