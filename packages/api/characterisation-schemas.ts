import { z } from 'zod';
import { name } from './schemas.ts';

/** What is published of experiments with a service. */
const amount = z.number().min(-1e15).max(1e15);
const percentiles = z.array(amount).length(5).meta({ description: 'The 5th, 25th, 50th, 75th and 95th percentile' });
const text = z.string().max(4_096);
const parameterValue = z.union([z.string().max(256), amount, z.boolean()]);
const rule = z.object({
  text,
  label: z.string().max(128),
  samples: z.int().min(0),
  errors: z.int().min(0).meta({ description: 'Samples of which it says the wrong class' }),
});

/** What is found out about a service by experiments, without the experiments. */
export const characterisationSummary = z
  .object({
    name,
    service: z.string().max(1_024).meta({ description: 'The descriptor that was characterised, as its file names it' }),
    experiments: z.int().min(0),
    samples: z.int().min(0),
    accuracy: z.number().min(0).max(1).meta({ description: 'Share of the samples of which the rules tell the class' }),
    updatedAt: z.number(),
  })
  .meta({ id: 'CharacterisationSummary' });

export const characterisationReport = characterisationSummary
  .omit({ name: true, updatedAt: true })
  .extend({
    outliers: z.int().min(0),
    useCase: z.string().max(128),
    parameters: z.array(z.string().max(128)).max(64),
    metrics: z
      .array(z.object({ name: z.string().max(128), bounds: z.array(amount).max(128) }))
      .max(64)
      .meta({ description: 'What classes are made of, with the bounds between them' }),
    classes: z
      .array(
        z.object({
          name: z.string().max(128),
          samples: z.int().min(0),
          cost: amount.optional(),
          configuration: z.record(z.string().max(128), parameterValue).optional(),
          keys: z.array(z.string().max(128)).max(64).meta({ description: 'Parameters by which it is reached' }),
          share: z.number().min(0).max(1).optional(),
          interval: z.array(z.number()).length(2).optional(),
          descriptor: z.string().max(400_000).optional().meta({ description: 'The service, set so: native YAML' }),
        }),
      )
      .min(1)
      .max(64),
    configurations: z
      .array(
        z.object({
          text,
          cost: amount,
          label: z.string().max(128),
          samples: z.int().min(0),
          chosen: z.boolean(),
          metrics: z.record(z.string().max(128), percentiles),
        }),
      )
      .max(256)
      .meta({ description: 'Those that were measured, by cost: the chosen ones and the cheapest' }),
    measured: z.int().min(0),
    all: z.int().min(0).meta({ description: 'Configurations that there are' }),
    rules: z.array(rule).max(256),
    usage: z
      .object({ accuracy: z.number().min(0).max(1), rules: z.array(rule).max(256) })
      .optional()
      .meta({ description: 'What use of the infrastructure tells of the class' }),
    warnings: z.array(text).max(64),
  })
  .meta({ id: 'CharacterisationReport' });
