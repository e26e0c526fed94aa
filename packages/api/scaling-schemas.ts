import { z } from 'zod';

/**
 * scaling: an operation was started; kept: nothing to do; recommended: would be done, but only advice is asked for; refused: could
 * not be done now; no-data: nothing was measured, so nothing was decided.
 */
export const scalingOutcome = z.enum(['scaling', 'kept', 'recommended', 'refused', 'no-data']);

export const scalingDecision = z
  .object({
    id: z.int(),
    at: z.number(),
    service: z.string(),
    unit: z.string().meta({ description: 'Path of the unit' }),
    kind: z.string().meta({ description: 'Of the policy' }),
    outcome: scalingOutcome,
    from: z.int().meta({ description: 'Instances that were wanted' }),
    to: z.int().meta({ description: 'Instances that are wanted from now on, or would be' }),
    recommended: z
      .int()
      .optional()
      .meta({ description: 'What the policy asked for, before windows, limits of changes and cool-down' }),
    reasons: z.array(z.string()).meta({ description: 'Sentences: what the policy saw, and what held it back' }),
    metrics: z.record(z.string(), z.number()).meta({ description: 'What was measured' }),
    operation: z.string().optional(),
    executor: z.string(),
  })
  .meta({ id: 'ScalingDecision' });

export const policyGrid = z
  .object({
    vms: z.array(z.int()),
    tasks: z.array(z.int()),
    actions: z.array(z.array(z.enum(['accept', 'build', 'reject', 'destroy', 'impossible']))).meta({
      description: 'By row of vms and column of tasks; of large tables every second, third, ... is told',
    }),
  })
  .meta({ id: 'PolicyGrid', description: 'What a policy of kind mdp does' });

export const unitScaling = z
  .object({
    unit: z.string(),
    state: z.enum(['active', 'stopped']),
    origin: z.enum(['descriptor', 'user']),
    policy: z
      .record(z.string(), z.unknown())
      .meta({ description: 'As it was given; tables and models are told by what they are about' }),
    min: z.int(),
    max: z.int(),
    instances: z.int(),
    running: z.int(),
    changedAt: z.number(),
    problem: z.string().optional().meta({ description: 'Why it cannot be used' }),
    grid: policyGrid.optional(),
    last: scalingDecision.optional(),
  })
  .meta({ id: 'UnitScaling' });
