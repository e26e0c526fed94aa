import { isMap, isScalar, type Node } from 'yaml';
import { nodeAt, type Path } from './tree.ts';

/** The parts of JSON Schema that the schemas of dialects have. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
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

export interface FieldSchema {
  readonly name: string;
  readonly isRequired: boolean;
  readonly schemas: readonly JsonSchema[];
}

/** What a schema says of the places of a document. */
export class Schema {
  readonly #root: JsonSchema;
  readonly #spelled: (name: string) => string;

  /** `spelled` is how the schema calls a field that a text calls otherwise. */
  constructor(root: JsonSchema, spelled: (name: string) => string = (name) => name) {
    this.#root = root;
    this.#spelled = spelled;
  }

  /** All schemas that a value at a path may follow. Of kinds that a document says it is not, nothing is told. */
  at(path: Path, root: Node | null): readonly JsonSchema[] {
    let here = this.#fitting(this.#root, root);
    path.forEach((step, depth) => {
      const node = nodeAt(root, path.slice(0, depth + 1));
      here = here
        .flatMap((schema): readonly JsonSchema[] => {
          const next = typeof step === 'number' ? schema.items : this.#field(schema, step);
          return next === undefined ? [] : [next];
        })
        .flatMap((schema) => this.#fitting(schema, node));
    });
    return here;
  }

  /** Fields that a group at a path can have, with what is said of each. */
  fieldsAt(path: Path, root: Node | null): readonly FieldSchema[] {
    const groups = this.at(path, root);
    const names = new Set(groups.flatMap(({ properties = {} }) => Object.keys(properties)));
    const needed = new Set(groups.flatMap(({ required = [] }) => required));
    return [...names].map((name) => ({
      name,
      isRequired: needed.has(name),
      schemas: groups.flatMap(({ properties = {} }) =>
        Object.hasOwn(properties, name) ? this.#alternatives(properties[name]!) : [],
      ),
    }));
  }

  isRequired(path: Path, root: Node | null): boolean {
    const name = this.#spelled(String(path.at(-1)));
    return this.at(path.slice(0, -1), root).some(({ required = [] }) => required.includes(name));
  }

  #field({ properties = {}, additionalProperties }: JsonSchema, step: string): JsonSchema | undefined {
    if (Object.hasOwn(properties, step)) return properties[step];
    const spelled = this.#spelled(step);
    if (Object.hasOwn(properties, spelled)) return properties[spelled];
    return typeof additionalProperties === 'object' ? additionalProperties : undefined;
  }

  #fitting(schema: JsonSchema, node: Node | null): readonly JsonSchema[] {
    const all = this.#alternatives(schema);
    return isMap(node) ? all.filter((one) => fits(one, node)) : all;
  }

  /** A schema with those that it stands for, or may be; what is said of it where it is used comes first. */
  #alternatives(schema: JsonSchema): readonly JsonSchema[] {
    const target = schema.$ref === undefined ? undefined : this.#root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    const inner = [
      ...(target === undefined ? [] : [target]),
      ...(schema.anyOf ?? []),
      ...(schema.oneOf ?? []),
      ...(schema.allOf ?? []),
    ];
    return [schema, ...inner.flatMap((one) => this.#alternatives(one))];
  }
}

/** Whether a group may be of a kind: it is not where a field that says the kind says another. */
function fits({ properties = {} }: JsonSchema, node: Node): boolean {
  if (!isMap(node)) return true;
  return Object.entries(properties).every(([name, inner]) => {
    if (inner.const === undefined) return true;
    const said = node.get(name, true);
    return !isScalar(said) || said.value === null || said.value === inner.const;
  });
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
