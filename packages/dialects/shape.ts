import { nearest, type Problem } from '@superfluidity/core';
import type { z } from 'zod';
import { dialectLimits, type dialectErrors } from './errors.ts';
import { formatPath, shorten, type Path, type YamlText } from './yaml-text.ts';

/** The parts of JSON Schema from which names of fields and allowed values are offered. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

type Shape<T> = { readonly value: T; readonly problems: readonly [] } | { readonly problems: readonly Problem[] };

/** Holds a text against a schema. What does not fit is reported with its position and, where there is one, the likely intention. */
export function readShape<T>(text: YamlText, schema: z.ZodType<T>, jsonSchema: JsonSchema): Shape<T> {
  if (text.problems.length > 0) return { problems: text.problems };
  const result = schema.safeParse(text.value);
  if (result.success) return { value: result.data, problems: [] };
  const report = new ShapeReport(text, jsonSchema);
  for (const issue of result.error.issues) report.add(issue, []);
  return { problems: report.problems };
}

class ShapeReport {
  readonly problems: Problem[] = [];
  readonly #text: YamlText;
  readonly #schema: JsonSchema;

  constructor(text: YamlText, schema: JsonSchema) {
    this.#text = text;
    this.#schema = schema;
  }

  add(issue: z.core.$ZodIssue, above: Path): void {
    const path = [...above, ...(issue.path as Path)];
    const value = valueAt(this.#text.value, path);
    switch (issue.code) {
      case 'unrecognized_keys':
        for (const key of issue.keys) this.#unknown(path, key);
        return;
      case 'invalid_union': {
        const branch = likeliest(issue.errors);
        if (branch === undefined)
          return this.#push('SF-DESCRIPTOR-TYPE', path, `${nameOf(path)} cannot be ${kindOf(value)}`);
        for (const inner of branch) this.add(inner, path);
        return;
      }
      case 'invalid_type':
        if (value === undefined) return this.#push('SF-DESCRIPTOR-MISSING', path, `${nameOf(path)} is missing`);
        return this.#push(
          'SF-DESCRIPTOR-TYPE',
          path,
          `${nameOf(path)} must be ${words[issue.expected] ?? issue.expected}, not ${kindOf(value)}`,
          quoted(issue.expected, value),
        );
      case 'invalid_value': {
        if (value === undefined) return this.#push('SF-DESCRIPTOR-MISSING', path, `${nameOf(path)} is missing`);
        const allowed = issue.values.map(String);
        const near = allowed.length === 1 || typeof value !== 'string' ? undefined : nearest(value, allowed);
        const message = `${nameOf(path)} must be ${allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`}`;
        return this.#push(
          'SF-DESCRIPTOR-VALUE',
          path,
          message,
          near === undefined ? undefined : `did you mean '${near}'?`,
        );
      }
      case 'custom':
        return this.#push(
          issue.params?.['missing'] === true ? 'SF-DESCRIPTOR-MISSING' : 'SF-DESCRIPTOR-VALUE',
          path,
          issue.message,
        );
      default:
        return this.#push('SF-DESCRIPTOR-VALUE', path, `${nameOf(path)}: ${lowerFirst(issue.message)}`);
    }
  }

  #unknown(path: Path, key: string): void {
    const near = nearest(key, fieldsAt(this.#schema, path));
    this.#push(
      'SF-DESCRIPTOR-UNKNOWN-FIELD',
      [...path, key],
      `there is no field '${shorten(key)}' here`,
      near === undefined ? undefined : `did you mean '${near}'?`,
      'key',
    );
  }

  #push(
    code: keyof typeof dialectErrors,
    path: Path,
    message: string,
    suggestion?: string,
    what: 'key' | 'value' = 'value',
  ): void {
    if (this.problems.length >= dialectLimits.problems) return;
    const position = this.#text.locate(path, what);
    this.problems.push({
      severity: 'error',
      code,
      message,
      path: formatPath(path),
      position,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
};

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return words[typeof value] ?? typeof value;
}

/** `1.0` and `yes` are not text in YAML unless quoted. */
function quoted(expected: string, value: unknown): string | undefined {
  const plain = typeof value === 'number' || typeof value === 'boolean';
  return expected === 'string' && plain ? 'write it in quotes' : undefined;
}

function nameOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the document';
  return typeof last === 'string' ? `'${shorten(last)}'` : `item ${last + 1} of '${String(path.at(-2) ?? '')}'`;
}

function valueAt(value: unknown, path: Path): unknown {
  let inner = value;
  for (const part of path) {
    if (inner === null || typeof inner !== 'object') return undefined;
    inner = (inner as Record<string | number, unknown>)[part];
  }
  return inner;
}

/** Of the forms that a value may have, the one that was probably meant: of the right type, with the fewest mistakes. */
function likeliest(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const wrongKind = (issues: readonly z.core.$ZodIssue[]) =>
    issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0);
  const candidates = branches.filter((issues) => !wrongKind(issues));
  return candidates.toSorted((a, b) => a.length - b.length)[0];
}

/** Names of the fields that the schema knows at a path. */
function fieldsAt(root: JsonSchema, path: Path): readonly string[] {
  const resolve = (schema: JsonSchema): readonly JsonSchema[] => {
    const target = schema.$ref === undefined ? schema : root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (target === undefined) return [];
    return [target, ...(target.anyOf ?? []).flatMap(resolve)];
  };
  let here = resolve(root);
  for (const part of path) {
    const inner = here.map((schema) => (typeof part === 'number' ? schema.items : schema.properties?.[part]));
    here = inner.filter((schema) => schema !== undefined).flatMap(resolve);
  }
  return here.flatMap((schema) => Object.keys(schema.properties ?? {}));
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
