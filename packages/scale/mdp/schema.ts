import { type JsonSchema, readShape, readYamlText } from '@superfluidity/dialects';
import type { Problem } from '@superfluidity/core';
import { z } from 'zod';
import { scaleLimits } from '../errors.ts';
import { bad, type ScalingProblem } from './problem.ts';

/** The shape of a file of a scaling model, format version 1. */
const amount = z.number().min(0).max(scaleLimits.amount);
const above = z.number().gt(0, 'must be more than 0').max(scaleLimits.amount);

export const problemShape = z.strictObject({
  queues: z.int().min(1).max(scaleLimits.queues).describe('VMs that there can be at most'),
  buffer: z.int().min(1).max(scaleLimits.buffer).describe('Tasks that a VM has room for, the one in service included'),
  arrivalRate: above.describe('Tasks per unit of time'),
  serviceRate: above.describe('Of each active VM'),
  rejectFine: amount.describe('For each rejected task'),
  reward: amount.describe('For each accepted task (default: 0)').exactOptional(),
  buildCost: amount.describe('For each VM that is built (default: 0)').exactOptional(),
  destroyCost: amount.describe('For each VM that is destroyed (default: 0)').exactOptional(),
  keepAliveCost: amount.describe('For each VM that is not off, per unit of time'),
  delayCost: amount
    .describe('Times the weight of its tasks, for each VM per unit of time (default: 0)')
    .exactOptional(),
  delayWeights: z
    .array(amount)
    .max(scaleLimits.buffer)
    .describe('Of 1, 2, ... tasks (default: their number)')
    .exactOptional(),
  deployment: z
    .strictObject({
      meanTime: above.describe('From building a VM until it serves'),
      stages: z
        .int()
        .min(1)
        .max(20)
        .describe('1: exponential; more: Erlang, more regular (default: 1)')
        .exactOptional(),
      queueWhileBooting: z.boolean().describe('May tasks wait at a VM that boots? (default: true)').exactOptional(),
    })
    .exactOptional(),
  discountRate: amount.describe('0, the default: average cost per unit of time').exactOptional(),
});

const scalingShape = z
  .strictObject({
    $schema: z.string().max(256).exactOptional(),
    'superfluidity-scaling': z.literal(1).describe('Version of this format'),
    ...problemShape.shape,
  })
  .meta({ title: 'Superfluidity scaling model, format 1' });

/** JSON Schema (draft 2020-12) as published in docs/schemas. */
export const scalingJsonSchema = z.toJSONSchema(scalingShape, { io: 'input' });

export type ReadScaling =
  | { readonly problem: ScalingProblem; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

/** Reads a file of a scaling model, YAML or JSON. Never throws: what is wrong has line and column. */
export function readScaling(bytes: Uint8Array, file?: string): ReadScaling {
  const shape = readShape(readYamlText(bytes, file), scalingShape, scalingJsonSchema as JsonSchema);
  if (!('value' in shape)) return { problems: shape.problems };
  const { $schema: _schema, 'superfluidity-scaling': _version, ...problem } = shape.value;
  return { problem, problems: [] };
}

/** The same of parsed JSON. Rejects with SF-SCALE-INPUT. */
export function readProblem(value: unknown): ScalingProblem {
  const parsed = scalingShape.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw bad(`${path.join('.')}${path.length === 0 ? '' : ': '}${message}`);
  }
  const { $schema: _schema, 'superfluidity-scaling': _version, ...problem } = parsed.data;
  return problem;
}
