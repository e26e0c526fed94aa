import { nativeJsonSchema, type Path } from '@superfluidity/dialects/languages';
import { type Field, fieldsOf, problemOf } from '../../view-model/config-form.ts';
import { parse, stringify } from 'yaml';

type Schema = Readonly<Record<string, unknown>>;
const root = nativeJsonSchema as Schema;
const DEPTH_MAX = 5;

/** What is drawn, and therefore has no field. */
const DRAWN = new Set([
  'units',
  'elements',
  'functions',
  'networks',
  'chains',
  'balancers',
  'policies',
  'links',
  'ports',
  '$schema',
  'carried',
]);
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/Mbps$/, 'Mbit/s'],
  [/MiB$/, 'MiB'],
  [/Ms$/, 'ms'],
  [/^cpu$/, 'cores'],
  [/^costMax$/, 'per hour'],
  [/^mtu$/, 'bytes'],
  [/^lossMax$/, 'share from 0 to 1'],
];

/** A field of a form: `kind` json is typed as YAML in one line, of which JSON is a part. */
export interface DesignField extends Field {
  readonly unit?: string;
  /** What it says now, as it would be typed. */
  readonly value: string;
}

/** The part of the schema that a path of the document stands in. */
export function schemaAt(path: Path): Schema | undefined {
  let at: Schema | undefined = root;
  for (const step of path) {
    const here = resolved(at);
    const next: unknown =
      typeof step === 'number'
        ? here?.['items']
        : (here?.['properties'] as Readonly<Record<string, unknown>> | undefined)?.[step];
    if (next === null || typeof next !== 'object') return undefined;
    at = next as Schema;
  }
  return resolved(at);
}

/** What a reference stands for; of alternatives the object, which can say everything. */
function resolved(schema: Schema | undefined): Schema | undefined {
  let at = schema;
  for (let depth = 0; at !== undefined && depth < DEPTH_MAX; depth += 1) {
    const reference: unknown = at['$ref'];
    if (typeof reference === 'string') {
      at = (root['$defs'] as Readonly<Record<string, Schema>>)[reference.slice('#/$defs/'.length)];
      continue;
    }
    const alternatives: unknown = at['properties'] === undefined ? at['anyOf'] : undefined;
    if (!Array.isArray(alternatives)) return at;
    const object = (alternatives as Schema[]).find((one) => one['type'] === 'object');
    if (object === undefined) return at;
    at = { ...object, description: at['description'] ?? object['description'] };
  }
  return at;
}

/** The form of what stands at a path: from the schema of the format, so that it has what the format has. */
export function formOf(path: Path, value: unknown): readonly DesignField[] {
  const schema = schemaAt(path);
  if (schema === undefined) return [];
  return fieldsOf(flat(schema, true)).map((field): DesignField => {
    const last = field.path.at(-1)!;
    const unit = UNITS.find(([pattern]) => pattern.test(last))?.[1];
    const said = field.path.reduce<unknown>(
      (at, name) =>
        at !== null && typeof at === 'object' ? (at as Readonly<Record<string, unknown>>)[name] : undefined,
      value,
    );
    return { ...field, ...(unit === undefined ? {} : { unit }), value: typedOf(said, field) };
  });
}

/** Without references, so that the form of configurations understands it. Objects that nest are groups of fields. */
function flat(schema: Schema, isTop: boolean): Schema {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  return {
    ...schema,
    properties: Object.fromEntries(
      properties.flatMap(([name, property]): [string, Schema][] => {
        if (DRAWN.has(name) && !(name === 'ports' && property['items'] !== undefined && isNumbers(property))) return [];
        const alternatives = property['anyOf'] ?? resolved(property)?.['anyOf'];
        const isShort = Array.isArray(alternatives) || isUnion(property);
        // Alternatives are typed: the short form is what people write.
        if (isShort) return [[name, { description: property['description'] ?? resolved(property)?.['description'] }]];
        const inner = resolved(property) ?? property;
        const isObject = inner['type'] === 'object' && inner['properties'] !== undefined;
        return [[name, isObject && isTop ? flat(inner, name === 'requirements') : inner]];
      }),
    ),
  };
}

const isNumbers = (schema: Schema): boolean => (schema['items'] as Schema | undefined)?.['type'] === 'integer';

function isUnion(schema: Schema): boolean {
  const reference: unknown = schema['$ref'];
  if (typeof reference !== 'string') return false;
  const target = (root['$defs'] as Readonly<Record<string, Schema>>)[reference.slice('#/$defs/'.length)];
  return target?.['properties'] === undefined && Array.isArray(target?.['anyOf']);
}

function typedOf(value: unknown, { kind }: Field): string {
  if (value === undefined || value === null) return '';
  if (kind === 'json')
    return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is wrong with what was typed, or undefined. */
export function problemOfField(field: DesignField, typed: string): string | undefined {
  if (field.kind !== 'json') return problemOf(field, typed);
  if (typed === '') return field.required ? 'It is needed.' : undefined;
  try {
    parse(typed);
    return undefined;
  } catch (error) {
    return `It cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

/** The value of what was typed; undefined when nothing was. */
export function valueOfField(field: DesignField, typed: string): unknown {
  if (typed === '') return undefined;
  if (field.kind === 'number' || field.kind === 'integer') return Number(typed);
  if (field.kind === 'switch') return typed === 'true';
  return field.kind === 'json' ? (parse(typed) as unknown) : typed;
}
