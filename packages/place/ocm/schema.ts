import { z } from 'zod';
import { placeLimits } from '../errors.ts';
import { costModels, switchForms } from './choices.ts';

/** The shape of a file of chains to place, format version 1. What names mean is checked when they are numbered. */
const name = z.string().min(1).max(256);
const amount = z.number().min(0).max(placeLimits.amount);
const milliseconds = z.number().min(0).max(86_400_000);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(100_000);
const span = z.tuple([amount, amount]);

const switchShape = z
  .strictObject({
    name,
    switch: name.describe('What was measured'),
    frameBytes: z.int().min(1).max(65_535),
    form: z.enum(switchForms).describe('poll: the base is burnt whatever there is to do, and work goes into it first'),
    coefficients: z.strictObject({
      base: amount.describe('Cores'),
      perHop: amount.describe('Cores for a million packets a second through the switch once'),
      perHopLog: amount.describe('The same, times log2(1 + length)'),
      perInner: amount.describe('More of it between two functions'),
    }),
    validRange: z.strictObject({ rateMpps: span, length: span, copies: span }),
    fit: z
      .strictObject({ samples: amount, r2: z.number(), mape: amount, maxError: amount })
      .describe('How far it is from what it was fitted to')
      .exactOptional(),
    source: z.string().max(4096).exactOptional(),
  })
  .meta({ id: 'switch', description: 'What a virtual switch costs: `place calibrate` makes one from measurements' });

const host = z
  .strictObject({
    name,
    count: z
      .int()
      .min(1)
      .max(placeLimits.hosts)
      .describe('So many that are alike: NAME-1, NAME-2, ...')
      .exactOptional(),
    cpu: amount.describe('Cores, for functions and for the virtual switch'),
    memoryMiB: amount.describe('Absent: it is not counted').exactOptional(),
    accelerators: list(name).exactOptional(),
    switch: name.describe('Model of its virtual switch, where it is another than the one of all').exactOptional(),
  })
  .meta({ id: 'host' });

const site = z
  .strictObject({
    name,
    hostLatencyMs: milliseconds.describe('One way between two of its hosts (default: 0)').exactOptional(),
    hosts: list(host),
  })
  .meta({ id: 'site' });

const affinity = z.strictObject({
  kind: z.enum(['together', 'apart']),
  scope: z.enum(['host', 'site']),
  with: list(name).describe('`function` of this chain, `chain/function`, or `chain`'),
});

const functionShape = z
  .strictObject({
    name,
    cpu: amount.describe('Cores, without what the virtual switch takes'),
    memoryMiB: amount.exactOptional(),
    accelerators: list(name).describe('What its host must have').exactOptional(),
    sites: list(name).describe('Where it may run (default: everywhere)').exactOptional(),
    hosts: list(name).describe('`site/host`: where it may run').exactOptional(),
    affinity: list(affinity).exactOptional(),
  })
  .meta({ id: 'functionOfChain' });

const chain = z
  .strictObject({
    name,
    ratePps: z.number().gt(0, 'must be more than 0').max(placeLimits.amount).describe('Packets a second'),
    from: name.describe('Site at which packets enter').exactOptional(),
    to: name.describe('Site at which they leave').exactOptional(),
    latencyMaxMs: milliseconds.describe('One way, of links and between hosts').exactOptional(),
    functions: z
      .array(functionShape)
      .min(1, 'a chain has at least one function')
      .max(placeLimits.chainFunctions)
      .describe('In the order in which packets pass'),
  })
  .meta({ id: 'chain' });

export const chainsShape = z
  .strictObject({
    $schema: name.exactOptional(),
    'superfluidity-chains': z.literal(1).describe('Version of this format'),
    switch: name.describe('Model of virtual switches: kernel-ovs, dpdk-ovs, or one of `switches`'),
    costModel: z.enum(costModels).describe('How what shares a switch saves (default: consistent)').exactOptional(),
    switches: list(switchShape).exactOptional(),
    sites: list(site),
    links: list(z.strictObject({ a: name, b: name, latencyMs: milliseconds }))
      .describe('Between sites, both directions alike')
      .exactOptional(),
    chains: list(chain).describe('In the order in which they come'),
  })
  .meta({ title: 'Superfluidity chains to place, format 1' });

/** JSON Schema (draft 2020-12) as published in docs/schemas. */
export const chainsJsonSchema = z.toJSONSchema(chainsShape, { io: 'input' });
