import type { Problem } from '@superfluidity/core';
import { type JsonSchema, readShape, readYamlText } from '@superfluidity/dialects';
import { z } from 'zod';
import { designLimits } from '../errors.ts';

const name = z.string().min(1).max(256);
const amount = z.number().min(0).max(designLimits.amount);
const items = z.array(z.strictObject({ name, count: amount, each: amount })).max(1_000);

export const economicsShape = z
  .strictObject({
    $schema: name.exactOptional(),
    'superfluidity-economics': z.literal(1).describe('Version of this format'),
    name,
    source: z.string().max(4096).exactOptional(),
    currency: z.string().min(1).max(8),
    years: z.int().min(1).max(designLimits.years),
    discountRate: z.number().gt(-1).max(10).describe('By year: 0.08 is 8 %'),
    investments: items.describe('CAPEX, all of it before the first year'),
    yearly: items.describe('OPEX of each year besides energy and maintenance'),
    energy: z.strictObject({ averageWatts: amount, pricePerKwh: amount }),
    maintenance: z.number().min(0).max(1).describe('Part of the investments, each year'),
    subscribers: z
      .strictObject({ first: amount, last: amount })
      .describe('Of the first and of the last year; between them it goes by a straight line'),
    monthlyFee: amount.describe('What a subscriber pays'),
  })
  .meta({ title: 'Superfluidity economics of a network, format 1' });

/** What a network costs and brings. Money in one currency; shares of one. */
export type Scenario = z.infer<typeof economicsShape>;

/** JSON Schema (draft 2020-12) of the same. */
export const economicsJsonSchema = z.toJSONSchema(economicsShape, { io: 'input' });

/** Reads a scenario, YAML or JSON. Never throws: what is wrong has line and column. */
export function readScenario(
  bytes: Uint8Array,
  file?: string,
): { readonly scenario?: Scenario; readonly problems: readonly Problem[] } {
  const shape = readShape(readYamlText(bytes, file), economicsShape, economicsJsonSchema as JsonSchema);
  return 'value' in shape ? { scenario: shape.value, problems: [] } : shape;
}
