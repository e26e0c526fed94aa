import { z } from 'zod';
import { errorReport } from './error-schemas.ts';

export const pool = z
  .object({
    name: z.string(),
    wanted: z.int().meta({ description: 'With fewer, a refill begins: the minimum, and what is foreseen' }),
    ready: z.int(),
    hits: z.int(),
    misses: z.int(),
    minimum: z.int(),
    maximum: z.int().exactOptional().meta({ description: 'Absent: what comes back is kept, however much it is' }),
    batch: z.int().meta({ description: 'How many a refill makes at least' }),
    making: z.int(),
    waiting: z.int().meta({ description: 'Who asked and has nothing yet' }),
    recycled: z.int().meta({ description: 'Came back and lie in the pool again, counted since the pool is there' }),
    active: z.int().exactOptional().meta({
      description:
        'Of those that are ready: they carry traffic already. Absent where nobody plugs them before they are handed out',
    }),
    late: z.int().exactOptional().meta({ description: 'Of the hits: they carried no traffic yet' }),
    inUse: z.int().exactOptional().meta({ description: 'Handed out and not come back, where that is known' }),
    failures: z.int().meta({ description: 'Of refills, since the last that did not fail' }),
    trouble: errorReport.exactOptional().meta({ description: 'Why the last refill failed' }),
    paused: z.boolean().meta({ description: 'Emptied by hand, and not refilled before somebody asks' }),
    askedPerS: z.number().meta({ description: 'How often something was asked for, of late' }),
    refillMs: z.number().meta({ description: 'How long a refill took, of late' }),
    oldestMs: z.number().exactOptional().meta({ description: 'How long the oldest has lain in the pool' }),
    waits: z.object({ boundsMs: z.array(z.number()), counts: z.array(z.int()), sumMs: z.number() }).meta({
      description: 'How long those who asked waited: counts of those up to each bound and above the one before',
    }),
    shelves: z
      .array(z.object({ name: z.string(), ready: z.int() }))
      .meta({ description: 'What is ready by what it differs in: ports by their security groups' }),
  })
  .meta({ id: 'Pool' });

/** A pool in the list of the pools of all sites. */
export const listedPool = pool
  .extend({
    site: z.string(),
    past: z
      .object({ at: z.array(z.number()), hits: z.array(z.int()), misses: z.array(z.int()) })
      .meta({ description: 'Counters as they were in the last hour, oldest first; in memory of the server' }),
  })
  .meta({ id: 'ListedPool' });
