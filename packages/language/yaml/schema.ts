import { nativeJsonSchema } from '@superfluidity/dialects/languages';
import type { Path } from './tree.ts';

/** The parts of JSON Schema that the schema of native descriptors has. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
}

const root = nativeJsonSchema as JsonSchema;

/** A schema with those that it stands for, or may be; what is said of it where it is used comes first. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const target = schema.$ref === undefined ? undefined : root.$defs?.[schema.$ref.replace('#/$defs/', '')];
  const inner = [...(target === undefined ? [] : [target]), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap(alternatives)];
}

/** All schemas that a value at a path may follow. */
export function schemasAt(path: Path): readonly JsonSchema[] {
  let here = alternatives(root);
  for (const step of path) {
    const inner = here.flatMap(({ items, properties }) => {
      const next =
        typeof step === 'number'
          ? items
          : properties !== undefined && Object.hasOwn(properties, step)
            ? properties[step]
            : undefined;
      return next ?? [];
    });
    here = inner.flatMap(alternatives);
  }
  return here;
}

/** Fields that a group at a path can have, with what is said of each. */
export function fieldsAt(path: Path): ReadonlyMap<string, readonly JsonSchema[]> {
  const groups = schemasAt(path);
  const names = new Set(groups.flatMap(({ properties = {} }) => Object.keys(properties)));
  return new Map([...names].map((name) => [name, schemasAt([...path, name])]));
}

/** Values that are listed. */
export function valuesOf(schemas: readonly JsonSchema[]): readonly string[] {
  const values = schemas.flatMap((schema) => {
    if (schema.type === 'boolean') return ['true', 'false'];
    return [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const])].map(String);
  });
  return [...new Set(values)];
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  array: 'list',
  object: 'group',
};

/** `text or list`. */
export function typeOf(schemas: readonly JsonSchema[]): string {
  return [...new Set(schemas.flatMap(({ type }) => (type === undefined ? [] : [words[type] ?? type])))].join(' or ');
}

export function descriptionOf(schemas: readonly JsonSchema[]): string {
  return schemas.find(({ description }) => description !== undefined)?.description ?? '';
}

export function isRequired(path: Path): boolean {
  const name = path.at(-1);
  return schemasAt(path.slice(0, -1)).some(({ required = [] }) => required.includes(name as string));
}
