import { invariant } from '@superfluidity/core';
import { z } from 'zod';

/**
 * A structural schema (Kubernetes, "Specifying a structural schema"): each field has one type at one place. OpenAPI 3.0 as the
 * API server takes it: no references, no `const`, no alternatives of different forms.
 */
export interface Structural {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly additionalProperties?: Structural;
  readonly items?: Structural;
  readonly required?: readonly string[];
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

type Schema = Readonly<Record<string, unknown>>;

/** Of a value of `schema`, from its JSON Schema. */
export function structuralOf(schema: z.ZodType): Structural {
  return structural(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'throw' }) as Schema);
}

const KEPT = [
  'type',
  'description',
  'enum',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'required',
] as const;

function structural(schema: Schema): Structural {
  const alternatives = (schema['oneOf'] ?? schema['anyOf']) as readonly Schema[] | undefined;
  if (alternatives !== undefined) return merged(alternatives);
  for (const word of ['$ref', 'allOf', 'not', 'patternProperties', 'prefixItems'])
    invariant(!(word in schema), `a structural schema has no ${word}`);
  invariant(typeof schema['type'] === 'string' || 'const' in schema, 'each field has one type, or alternatives');
  const kept = Object.fromEntries(KEPT.flatMap((word) => (word in schema ? [[word, schema[word]]] : [])));
  const properties = schema['properties'] as Readonly<Record<string, Schema>> | undefined;
  const more = schema['additionalProperties'];
  const items = schema['items'] as Schema | undefined;
  return {
    ...kept,
    ...('const' in schema ? { type: typeof schema['const'], enum: [schema['const'] as string] } : {}),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, structural(one)])) }),
    // The server drops fields that are not known: that is not said beside `properties`.
    ...(typeof more === 'object' && more !== null ? { additionalProperties: structural(more as Schema) } : {}),
    ...(items === undefined ? {} : { items: structural(items) }),
  };
}

/**
 * Alternatives that a field tells apart, as one object with the fields of all of them; which of these each alternative needs is
 * said by rules in CEL (KEP-2876), which the API server checks.
 */
function merged(alternatives: readonly Schema[]): Structural {
  const all = alternatives.map(structural);
  const shared = (all[0]?.required ?? []).filter((name) => all.every(({ required = [] }) => required.includes(name)));
  const tag = shared.find((name) => all.every(({ properties }) => properties?.[name]?.enum?.length === 1));
  invariant(tag !== undefined, 'alternatives are objects that one field tells apart');
  const properties = new Map<string, Structural>();
  const rules: { readonly rule: string; readonly message: string }[] = [];
  const values: (string | number)[] = [];
  for (const { properties: own = {}, required = [] } of all) {
    const [value] = own[tag]!.enum!;
    values.push(value!);
    for (const [name, one] of Object.entries(own)) {
      const known = properties.get(name);
      invariant(
        name === tag || known === undefined || JSON.stringify(known) === JSON.stringify(one),
        `field ${name} has one form in all alternatives`,
      );
      properties.set(name, one);
    }
    const needed = required.filter((name) => !shared.includes(name));
    if (needed.length === 0) continue;
    rules.push({
      rule: `self.${tag} != ${JSON.stringify(value)} || (${needed.map((name) => `has(self.${name})`).join(' && ')})`,
      message: `${tag} ${value} needs ${needed.join(', ')}`,
    });
  }
  properties.set(tag, { type: typeof values[0], enum: values });
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: shared,
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}
