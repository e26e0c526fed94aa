import { autoscaleShape } from '@superfluidity/model';
import { z } from 'zod';
import { anyName, anyOf, listOf, listQuery } from './lists.ts';
import { byName, type Route } from './route.ts';
import * as scaling from './scaling-schemas.ts';

export const scalingRoutes = {
  listScaling: {
    method: 'GET',
    path: '/api/v1/services/:name/scaling',
    summary: 'The units of a service that scale by themselves: their policies, and the last decision of each',
    tag: 'scaling',
    params: byName,
    reply: z.array(scaling.unitScaling),
    status: 200,
    role: 'reader',
  },
  setScaling: {
    method: 'PUT',
    path: '/api/v1/services/:name/scaling',
    summary: 'Let a unit scale by itself, or by another policy',
    tag: 'scaling',
    params: byName,
    body: z.object({ unit: z.string().max(256), policy: autoscaleShape }),
    reply: scaling.unitScaling,
    status: 200,
    role: 'admin',
  },
  stopScaling: {
    method: 'DELETE',
    path: '/api/v1/services/:name/scaling',
    summary: 'Let a unit scale by itself no more; its instances stay',
    tag: 'scaling',
    params: byName,
    query: z.object({ unit: z.string().max(256) }),
    reply: scaling.unitScaling,
    status: 200,
    role: 'admin',
  },
  listScalingDecisions: {
    method: 'GET',
    path: '/api/v1/scaling/decisions',
    summary: 'What was decided on the number of instances, when and why; newest first',
    tag: 'scaling',
    query: listQuery(['at'], '-at', {
      service: anyName('Service'),
      unit: anyName('Path of the unit'),
      outcome: anyOf(scaling.scalingOutcome.options),
    }),
    reply: listOf(scaling.scalingDecision, 'ScalingDecisionList'),
    status: 200,
    role: 'reader',
  },
} as const satisfies Record<string, Route>;
