import { z } from 'zod';
import { characteriseLimits as limits } from '../errors.ts';

/** The file of a characterisation: that of seed D6.1, A3.9.6, and what is marked as ours. */
const word = z.string().regex(/^[A-Za-z_][\w.-]{0,127}$/, 'letters, digits, and _ . - only, a letter first');
const text = z.string().min(1).max(4_096);
const value = z.union([z.number().min(-limits.amount).max(limits.amount), z.boolean(), z.string().min(1).max(256)]);
const comparison = z.string().max(128);

const binding = z
  .strictObject({
    to: z
      .enum(['cpu', 'memoryMiB', 'instances', 'env', 'accelerators', 'site', 'neighbours'])
      .describe('neighbours: nothing in the service; it decides which neighbours are there'),
    units: z.array(text).min(1).max(1_000).describe('Functions or units (default: all)').exactOptional(),
    name: word.describe('Of the environment variable, for env').exactOptional(),
    values: z
      .record(z.string(), word)
      .describe('For accelerators: what each value asks for; others ask for none')
      .exactOptional(),
  })
  .meta({ id: 'binding' });

const neighbour = z.strictObject({
  service_id: text.describe('Descriptor: a path from the folder of the file'),
  beside: text.describe('Unit of the service on whose host it runs (default: where there is room)').exactOptional(),
  if: z.record(word, value).describe('Parameters with whose values it is there (default: always)').exactOptional(),
});

const place = z.strictObject({
  network: z.string().min(1).max(128).describe('Network of the service in which it gets a port'),
  site: word.describe('Where it runs (default: wherever there is room)').exactOptional(),
  cpu: z.number().gt(0).max(1_024).default(1).describe('Cores that it may use: too few, and it is what is measured'),
  memory_mib: z.int().min(64).max(1_048_576).default(256),
});

const slaClass = z.record(word, z.union([comparison, z.array(comparison).min(1).max(limits.conditions)]));

const optimisation = z.strictObject({
  sla_classes: z.record(word, slaClass),
  costs: z
    .record(word, z.record(z.string(), z.number().min(0).max(limits.amount)))
    .describe('Of each value of each parameter; what is absent costs nothing'),
  per: z.enum(['sample', 'experiment']).default('sample').describe('Ours: what is classified'),
  outliers: z
    .number()
    .min(0)
    .max(1_000)
    .default(3.5)
    .describe('Ours: modified z-score above which a sample is left out; 0 keeps all'),
  probability: z.number().min(0).max(1).default(0).describe('Ours: share of the samples that must keep the bounds'),
});

export const characterisationShape = z
  .strictObject({
    $schema: text.exactOptional(),
    service_id: text.describe('Descriptor of the service: a path, or a name of the catalogue'),
    deployment_parameters: z.record(word, z.union([value, z.array(value).min(1).max(limits.values)])),
    bindings: z.record(word, binding).describe('Ours: what parameters change in the service').exactOptional(),
    neighbours: z
      .array(z.union([text, neighbour]))
      .max(limits.neighbours)
      .describe('Ours: descriptors of noisy neighbours')
      .exactOptional(),
    instance_name: word,
    use_case: z.strictObject({
      name: word,
      parameters: z.record(z.string(), z.unknown()).exactOptional(),
      from: place.describe('Ours: the traffic comes from a unit inside of the service').exactOptional(),
    }),
    iterations: z.int().min(1).max(limits.iterations),
    action: z.strictObject({ type: z.literal('template_optimization'), parameters: optimisation }),
  })
  .meta({ title: 'Superfluidity characterisation' });

export const characterisationJsonSchema = z.toJSONSchema(characterisationShape, { io: 'input' });
