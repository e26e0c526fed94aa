/**
 * A form from the configuration schema that a driver declares (JSON Schema 2020-12, as zod writes it). Texts, numbers, switches
 * and choices become fields, objects become groups of them; for what has no field of its own (lists, alternatives) JSON is typed.
 */
export interface Field {
  /** Names from the outermost object to this value. */
  readonly path: readonly string[];
  readonly title: string;
  readonly about: string | undefined;
  readonly required: boolean;
  readonly kind: 'text' | 'number' | 'integer' | 'switch' | 'choice' | 'json';
  readonly choices: readonly string[];
  readonly pattern: string | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** `writeOnly`: chosen among secrets, and never typed. */
  readonly hidden: boolean;
  /** As it would be typed; shown where nothing is. */
  readonly initial: string;
}

type Schema = Readonly<Record<string, unknown>>;
const DEPTH_MAX = 4;
const FIELDS_MAX = 200;

export function fieldsOf(schema: Schema): readonly Field[] {
  return inside(schema, [], 0).slice(0, FIELDS_MAX);
}

function inside(schema: Schema, path: readonly string[], depth: number): readonly Field[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  return Object.entries(properties).flatMap(([name, property]) => {
    const here = [...path, name];
    if (property['type'] === 'object' && property['properties'] !== undefined && depth < DEPTH_MAX)
      return inside(property, here, depth + 1);
    return [fieldOf(property, here, required.has(name) && property['default'] === undefined)];
  });
}

function fieldOf(schema: Schema, path: readonly string[], required: boolean): Field {
  const { type, description, pattern, minimum, maximum } = schema;
  const choices =
    Array.isArray(schema['enum']) && schema['enum'].every((one) => typeof one === 'string')
      ? (schema['enum'] as string[])
      : [];
  const initial = schema['default'];
  return {
    path,
    title: typeof schema['title'] === 'string' ? schema['title'] : path.join(' › '),
    about: typeof description === 'string' ? description : undefined,
    required,
    kind:
      choices.length > 0
        ? 'choice'
        : type === 'string'
          ? 'text'
          : type === 'number' || type === 'integer'
            ? type
            : type === 'boolean'
              ? 'switch'
              : 'json',
    choices,
    pattern: typeof pattern === 'string' ? pattern : undefined,
    minimum: typeof minimum === 'number' ? minimum : undefined,
    // The greatest integer that a number can hold says nothing to people.
    maximum: typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined,
    hidden: schema['writeOnly'] === true,
    initial: initial === undefined ? '' : typeof initial === 'string' ? initial : JSON.stringify(initial),
  };
}

export const keyOf = (field: Field): string => field.path.join('.');

/** What is wrong with what was typed, or undefined. The server checks it again, whole. */
export function problemOf(field: Field, typed: string): string | undefined {
  if (typed === '') return field.required ? 'It is needed.' : undefined;
  if (field.kind === 'text' && field.pattern !== undefined && !matches(field.pattern, typed))
    return `It must look like ${field.pattern}`;
  if (field.kind === 'number' || field.kind === 'integer') {
    const value = Number(typed);
    if (!Number.isFinite(value)) return 'It is not a number.';
    if (field.kind === 'integer' && !Number.isInteger(value)) return 'It is not a whole number.';
    if (field.minimum !== undefined && value < field.minimum) return `At least ${field.minimum}.`;
    if (field.maximum !== undefined && value > field.maximum) return `At most ${field.maximum}.`;
  }
  if (field.kind === 'json') {
    try {
      JSON.parse(typed);
    } catch (error) {
      return `It is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return true;
  }
}

/** The configuration as the server takes it. What was left empty is left out, so that the driver's defaults hold. */
export function configOf(fields: readonly Field[], typed: Readonly<Record<string, string>>): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const field of fields) {
    const text = typed[keyOf(field)] ?? '';
    if (text === '') continue;
    let at = config;
    for (const name of field.path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>;
    at[field.path.at(-1)!] = valueOf(field, text);
  }
  return config;
}

function valueOf({ kind }: Field, text: string): unknown {
  if (kind === 'number' || kind === 'integer') return Number(text);
  if (kind === 'switch') return text === 'true';
  return kind === 'json' ? (JSON.parse(text) as unknown) : text;
}
