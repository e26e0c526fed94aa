import { z } from 'zod';

export const portMetrics = z
  .object({
    id: z.string(),
    name: z.string(),
    rxBytes: z.number().meta({ description: 'What came to the unit by this port' }),
    rxPackets: z.number(),
    txBytes: z.number(),
    txPackets: z.number(),
    dropped: z.number(),
  })
  .meta({ id: 'PortMetrics' });

/** Counters begin anew with the successor of a unit. */
export const unitMetrics = z
  .object({
    id: z.string(),
    path: z.string(),
    index: z.int(),
    site: z.string(),
    host: z.string(),
    atMs: z.number().meta({ description: 'When it was read, in ms since the epoch' }),
    cpuMs: z.number().optional().meta({ description: 'Time of processors used so far; differences tell the load' }),
    throttledMs: z.number().optional().meta({ description: 'How long it was held back by its limit so far' }),
    memoryBytes: z.number().optional(),
    processes: z.number().optional(),
    cpu: z.number().meta({ description: 'Cores that it may use' }),
    memoryMiB: z.number().meta({ description: 'Memory that it may use' }),
    ports: z.array(portMetrics),
  })
  .meta({ id: 'UnitMetrics' });

export const unitUsage = z
  .object({
    unit: z.string().meta({ description: 'Id' }),
    everyMs: z.number(),
    readings: z
      .array(
        z.object({
          atMs: z.number(),
          cpuMs: z.number().exactOptional(),
          memoryBytes: z.number().exactOptional(),
          rxBytes: z.number().exactOptional().meta({ description: 'Of all ports together' }),
          txBytes: z.number().exactOptional(),
        }),
      )
      .meta({ description: 'Counters of the last half hour, oldest first; in memory of the server' }),
  })
  .meta({ id: 'UnitUsage' });
