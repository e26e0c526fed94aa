import type { Problem } from '@superfluidity/core';
import { type JsonSchema, readShape, readYamlText } from '@superfluidity/dialects';
import { z } from 'zod';
import { designLimits } from '../errors.ts';
import builtIn from './data/costs.json' with { type: 'json' };
import type { RfbInstance } from './instance.ts';

const name = z.string().min(1).max(256);
const amount = z.number().min(0).max(designLimits.amount);
const capacity = z.number().gt(0, 'must be more than 0').max(designLimits.amount);
const most = z.int().min(0).max(1_000);
const byName = z.record(name, amount);

const costsShape = z
  .strictObject({
    $schema: name.exactOptional(),
    'superfluidity-costs': z.literal(1).describe('Version of this format'),
    source: z.string().max(4096).exactOptional(),
    currency: z.string().min(1).max(8),
    site: amount.describe('Of installing a node'),
    sites: byName.describe('The same, of nodes for which it is another, by name').exactOptional(),
    rrh: byName.describe('Of a radio head, by type'),
    dedicated: z.strictObject({ mbps: capacity, cost: amount, most: most.describe('At a node') }),
    server: z.strictObject({ cpu: capacity, memory: capacity, cost: amount, most }),
    operation: z
      .strictObject({
        years: z.int().min(1).max(designLimits.years),
        discountRate: z.number().gt(-1).max(10),
        rent: amount.describe('Of a site, each year'),
        maintenance: z.number().min(0).max(1).describe('Part of the investments, each year'),
        pricePerKwh: amount,
        watts: z.strictObject({ site: amount, dedicated: amount, server: amount }).describe('On average, of each'),
        subscribersPerUser: z
          .strictObject({ first: amount, last: amount })
          .describe(
            'A user of the network is one who is active: subscribers for each, in the first and in the last year',
          ),
        monthlyFee: amount,
      })
      .describe('What a scenario of economics needs besides (default: synthetic)')
      .exactOptional(),
  })
  .meta({ title: 'Superfluidity costs of building a network, format 1' });

export type Costs = z.infer<typeof costsShape>;

export const costsJsonSchema = z.toJSONSchema(costsShape, { io: 'input' });

/** Costs that come with the product: round figures, good for comparing. */
export const syntheticCosts: Costs = costsShape.parse(builtIn);

/** Reads a table of costs, YAML or JSON, for this network. Never throws: what is wrong has line and column. */
export function readCosts(
  bytes: Uint8Array,
  { rrhTypes }: RfbInstance,
  file?: string,
): { readonly costs?: Costs; readonly problems: readonly Problem[] } {
  const text = readYamlText(bytes, file);
  const shape = readShape(text, costsShape, costsJsonSchema as JsonSchema);
  if (!('value' in shape)) return shape;
  const missing = rrhTypes.filter((type) => !Object.hasOwn(shape.value.rrh, type.name));
  if (missing.length === 0) return { costs: shape.value, problems: [] };
  return {
    problems: missing.map((type) => ({
      severity: 'error',
      code: 'SF-DESIGN-INPUT',
      message: `a radio head of type '${type.name}' has no cost`,
      path: 'rrh',
      position: text.locate(['rrh']),
    })),
  };
}

export const siteCost = ({ site, sites }: Costs, node: string): number =>
  sites !== undefined && Object.hasOwn(sites, node) ? sites[node]! : site;

export const headCost = ({ rrh }: Costs, type: string): number => (Object.hasOwn(rrh, type) ? rrh[type]! : 0);
