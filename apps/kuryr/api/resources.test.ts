import { kuryrPortSchema, type PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { customResourceDefinitions, RESOURCES } from './resources.ts';
import { structuralOf } from './structural.ts';

/** What a structural schema may consist of (Kubernetes, "Specifying a structural schema"). */
const WORDS = new Set([
  'type',
  'description',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'enum',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'x-kubernetes-validations',
]);

type Schema = Readonly<Record<string, unknown>>;

function faults(schema: Schema, path: string): readonly string[] {
  const inner = (value: unknown, at: string) => (value === undefined ? [] : faults(value as Schema, `${path}${at}`));
  return [
    ...Object.keys(schema).flatMap((word) => (WORDS.has(word) ? [] : [`${path}: ${word}`])),
    ...(typeof schema['type'] === 'string' ? [] : [`${path}: no type`]),
    ...('properties' in schema && 'additionalProperties' in schema ? [`${path}: both kinds of properties`] : []),
    ...Object.entries((schema['properties'] ?? {}) as Schema).flatMap(([name, one]) => inner(one, `.${name}`)),
    ...inner(schema['additionalProperties'], '{}'),
    ...inner(schema['items'], '[]'),
  ];
}

const schemaOf = ({ spec }: { readonly spec: unknown }) =>
  (spec as { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] }).versions[0]!
    .schema.openAPIV3Schema;

const text = fc.string({ maxLength: 8 });
const plugging: fc.Arbitrary<PodInterface['plugging']> = fc.oneof(
  fc.record({ kind: fc.constant('ovs' as const), bridge: text, interfaceId: text }),
  fc.record({ kind: fc.constant('bridge' as const), bridge: text }),
  fc.record({ kind: fc.constant('vlan' as const), id: fc.integer({ min: 1, max: 4_094 }) }),
  fc.record({ kind: fc.constant('macvlan' as const) }),
);
const given: fc.Arbitrary<PodInterface> = fc.record(
  {
    id: text,
    mac: text,
    addresses: fc.array(text, { minLength: 1, maxLength: 2 }),
    gateway: text,
    routes: fc.array(fc.record({ destination: text, nextHop: text }), { maxLength: 2 }),
    mtu: fc.integer({ min: 576, max: 65_535 }),
    active: fc.boolean(),
    isDefault: fc.boolean(),
    plugging,
  },
  { requiredKeys: ['id', 'mac', 'addresses', 'routes', 'mtu', 'active', 'isDefault', 'plugging'] },
) as fc.Arbitrary<PodInterface>;

describe('custom resources', () => {
  test('have structural schemas, with a status that is written apart but where one request makes the whole', () => {
    const all = customResourceDefinitions();
    expect(all.map(({ metadata }) => metadata.name)).toEqual(
      Object.values(RESOURCES).map(({ plural }) => `${plural}.superfluidity.dev`),
    );
    for (const one of all) {
      expect(faults(schemaOf(one), one.metadata.name)).toEqual([]);
      expect(one.spec).toMatchObject({ scope: 'Namespaced', versions: [{ served: true }] });
    }
    const whole = all.filter(({ spec }) => !JSON.stringify(spec).includes('"subresources":{"status":{}}'));
    expect(whole.map(({ metadata }) => metadata.name)).toEqual(['kuryrports.superfluidity.dev']);
  });

  test('take what the controller writes, and refuse what it would not read', () => {
    const status = kuryrPortSchema.shape.status.unwrap();
    // Another reader of JSON Schema than the one that wrote it. What rules in CEL say, the API server is asked in another test.
    const { 'x-kubernetes-validations': _, ...plain } = structuralOf(status) as Schema;
    const reader = z.fromJSONSchema(plain as never);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('eth0', 'eth1'), given, { noNullPrototype: true }),
        fc.option(fc.constantFrom('id', 'addresses', 'mtu', 'active', 'plugging'), { nil: undefined }),
        fc.anything({ maxDepth: 1 }),
        (interfaces, broken, value) => {
          expect(reader.safeParse({ interfaces }).success).toBe(true);
          expect(status.safeParse({ interfaces }).success).toBe(true);
          if (broken === undefined || interfaces['eth0'] === undefined) return;
          const damaged = { interfaces: { eth0: { ...interfaces['eth0'], [broken]: value } } };
          // The rules are left out here, so that the schema may take a plugging of which a field is lacking.
          if (!reader.safeParse(damaged).success) expect(status.safeParse(damaged).success).toBe(false);
          else if (broken !== 'plugging') expect(status.safeParse(damaged).success).toBe(true);
        },
      ),
    );
  });

  test('alternatives become one object, and rules say which needs what', () => {
    const schema = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), x: z.string() }),
      z.object({ kind: z.literal('b') }),
    ]);
    expect(structuralOf(schema)).toEqual({
      type: 'object',
      properties: { kind: { type: 'string', enum: ['a', 'b'] }, x: { type: 'string' } },
      required: ['kind'],
      'x-kubernetes-validations': [{ rule: 'self.kind != "a" || (has(self.x))', message: 'kind a needs x' }],
    });
    expect(() => structuralOf(z.union([z.string(), z.number()]))).toThrow(/one type/);
  });
});
