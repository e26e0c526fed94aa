import { z } from 'zod';
import { designLimits } from '../errors.ts';

/** The shape of a file of a network of RFBs, format version 1. What names mean is checked when they are numbered. */
const name = z.string().min(1).max(256);
const amount = z.number().min(0).max(designLimits.amount);
const names = z.array(name).max(designLimits.nodes);
const types = <T extends z.ZodType>(type: T) => z.array(type).min(1).max(designLimits.types);

const taking = z
  .strictObject({ cpu: amount, cpuPerMbps: amount, memory: amount, memoryPerUser: amount })
  .meta({ id: 'taking', description: 'What a block takes, and what it takes more by Mb/s and by user' });

const node = z
  .strictObject({
    name,
    dedicatedMbps: amount.describe('Dedicated hardware: what radio heads and BBUs take together'),
    cpu: amount.describe('Commodity hardware: what BBUs and MECs take together'),
    memory: amount,
    bbu: taking,
    mec: taking,
    bbuAt: names.describe('Nodes at which the BBU of a radio head here may be (default: here)').exactOptional(),
    mecAt: names.describe('Nodes at which its MEC may be (default: here)').exactOptional(),
  })
  .meta({ id: 'node' });

const most = z.int().min(0).max(designLimits.nodes).describe('How many there may be in the network');

const user = z.strictObject({
  name: name.exactOptional(),
  reach: z
    .array(z.tuple([name.describe('node'), name.describe('type of radio head'), amount.describe('Mb/s at most')]))
    .max(designLimits.nodes)
    .describe('Radio heads that cover the user: [node, type, Mb/s]'),
});

export const rfbShape = z
  .strictObject({
    $schema: name.exactOptional(),
    'superfluidity-rfb': z.literal(1).describe('Version of this format'),
    name: name.exactOptional(),
    rrhTypes: types(z.strictObject({ name, most, users: amount, rateMbps: amount })),
    bbuTypes: types(z.strictObject({ name, most, rateMbps: amount, rrhTypes: z.array(name).max(designLimits.types) })),
    mecTypes: types(z.strictObject({ name, most, userMbps: amount })),
    nodes: z.array(node).min(1).max(designLimits.nodes),
    users: z.array(user).min(1).max(designLimits.users),
  })
  .meta({ title: 'Superfluidity network of RFBs, format 1' });

/** JSON Schema (draft 2020-12) of the same. */
export const rfbJsonSchema = z.toJSONSchema(rfbShape, { io: 'input' });
