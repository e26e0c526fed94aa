import { z } from 'zod';
import { byName, type Route } from './route.ts';

export const anomalySignal = z
  .object({
    name: z.enum(['latency', 'rate', 'events']).meta({
      description: 'latency: of each answered request; rate: requests in each second; events: time from event to event',
    }),
    state: z.enum(['learning', 'watching']),
    seen: z.int().meta({ description: 'Values so far, since behaviour has changed for good' }),
    needed: z.int().meta({ description: 'Values from which what is normal is learned' }),
    threshold: z.number().optional().meta({ description: 'Score above which a window is an anomaly, in bits a value' }),
    learnedAt: z.number().optional(),
    drifts: z.int().meta({ description: 'How often behaviour has changed for good, and was learned anew' }),
    alerts: z.int().meta({ description: 'How often there was an event of kind anomaly' }),
    scores: z
      .array(
        z.object({
          t: z.number().meta({ description: 'End of the window' }),
          score: z.number().meta({ description: 'Bits a value: how surprising the window is' }),
          p: z.number().meta({ description: 'Part of normal windows that are as surprising' }),
          anomalous: z.boolean(),
          threshold: z.number(),
        }),
      )
      .meta({ description: 'Oldest first' }),
  })
  .meta({ id: 'AnomalySignal' });

export const serviceAnomalies = z
  .object({
    service: z.string(),
    rate: z
      .number()
      .meta({ description: 'Part of normal windows that are said to be anomalies; 0: nothing is watched' }),
    window: z.int().meta({ description: 'Values of a window' }),
    inARow: z.int().meta({ description: 'Windows in a row that make an alert' }),
    signals: z.array(anomalySignal),
  })
  .meta({ id: 'ServiceAnomalies' });

export const anomalyRoutes = {
  getAnomalies: {
    method: 'GET',
    path: '/api/v1/services/:name/anomalies',
    summary: 'How unusual what a service does is, as this server has seen it; alerts are events of kind anomaly',
    tag: 'services',
    params: byName,
    query: z.object({
      since: z.coerce.number().default(0),
      limit: z.coerce.number().int().min(1).max(2_000).default(500).meta({ description: 'Scores of each signal' }),
    }),
    reply: serviceAnomalies,
    status: 200,
    role: 'reader',
  },
} as const satisfies Record<string, Route>;
