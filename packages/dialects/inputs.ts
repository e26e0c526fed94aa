import type { Problem } from '@superfluidity/core';
import type { Group } from './groups.ts';

/** What a template leaves open until it is deployed. */
export interface Input {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'list' | 'map';
  readonly title?: string;
  readonly about?: string;
  readonly initial?: unknown;
  /** Not to be shown: it takes a reference to a secret, `secret:NAME`, and no value. */
  readonly hidden: boolean;
  readonly rules: readonly Rule[];
}

export type Rule = Bound & { readonly message?: string };
type Bound =
  | { readonly one: readonly unknown[] }
  | { readonly pattern: string }
  /** Of a number its value, of a text or a list its length. */
  | { readonly of: 'value' | 'length'; readonly min?: number; readonly max?: number; readonly beyond?: boolean }
  | { readonly step: number; readonly offset: number };

export type InputValues = Readonly<Record<string, unknown>>;

const REFERENCE = /^secret:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PATTERN_TEXT_MAX = 64;
const PATTERN_REPEATS_MAX = 4;
const VALUE_MAX = 65_536;

/** JSON Schema (draft 2020-12), from which forms are made. `writeOnly` is what is not to be shown. */
export function inputSchema(inputs: readonly Input[]): Group {
  const properties = inputs.map((input) => [input.name, propertyOf(input)] as const);
  const required = inputs.filter((one) => one.initial === undefined).map(({ name }) => name);
  return { type: 'object', properties: Object.fromEntries(properties), required };
}

const TYPES = {
  text: 'string',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
  list: 'array',
  map: 'object',
};

function propertyOf({ kind, title, about, initial, hidden, rules }: Input): Group {
  const property: Record<string, unknown> = { type: TYPES[kind] };
  if (title !== undefined) property['title'] = title;
  if (about !== undefined) property['description'] = about;
  if (hidden) return { ...property, writeOnly: true, pattern: REFERENCE.source };
  if (initial !== undefined) property['default'] = initial;
  for (const rule of rules) {
    if ('one' in rule) property['enum'] = rule.one.map((one) => (kind === 'text' ? String(one) : one));
    else if ('pattern' in rule) property['pattern'] = rule.pattern;
    else if ('step' in rule) property['multipleOf'] = rule.offset === 0 ? rule.step : undefined;
    else {
      const [min, max] =
        rule.of === 'value'
          ? ['minimum', 'maximum']
          : kind === 'list'
            ? ['minItems', 'maxItems']
            : ['minLength', 'maxLength'];
      const strict = rule.beyond === true ? 'exclusive' : '';
      const named = (name: string) => (strict === '' ? name : `exclusive${name[0]!.toUpperCase()}${name.slice(1)}`);
      if (rule.min !== undefined) property[named(min)] = rule.min;
      if (rule.max !== undefined) property[named(max)] = rule.max;
    }
  }
  return property;
}

/** The values as their kinds want them, and what is wrong with them, each with the path of its input: `inputs.flavor`. */
export function checkInputs(
  inputs: readonly Input[],
  given: InputValues,
): { readonly values: InputValues; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const wrong = (name: string, message: string) =>
    problems.push({
      severity: 'error',
      code: 'SF-DESCRIPTOR-INPUT',
      message: `input '${name.slice(0, 64)}' ${message}`,
      path: `inputs.${name}`,
    });
  const known = new Map(inputs.map((input) => [input.name, input]));
  for (const name of Object.keys(given)) {
    if (!known.has(name))
      wrong(name, `is none of ${[...known.keys()].slice(0, 20).join(', ') || 'none: it has no inputs'}`);
  }
  const values: [string, unknown][] = [];
  for (const input of inputs) {
    const { name } = input;
    if (!Object.hasOwn(given, name) || given[name] === undefined || given[name] === '') {
      if (input.initial === undefined) wrong(name, 'has no value, and no default');
      continue;
    }
    const value = valueOf(input, given[name]);
    if (value === undefined) wrong(name, `must be ${WORDS[input.kind]}`);
    else if (input.hidden && !(typeof value === 'string' && REFERENCE.test(value)))
      // Its value is not repeated: somebody has given a secret in plain text.
      wrong(name, 'is hidden: give `secret:NAME`, and the value to `superfluidity secret set NAME`');
    else {
      const broken = input.hidden ? undefined : input.rules.find((rule) => !keeps(value, rule));
      if (broken !== undefined) wrong(name, broken.message ?? `must be ${wordsOf(broken)}`);
      else values.push([name, value]);
    }
  }
  return { values: Object.fromEntries(values), problems };
}

const WORDS = {
  text: 'a text of at most 65536 characters',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
  map: 'a map',
} as const;

/** Commands and forms give texts. Undefined: it is not of the kind. */
function valueOf({ kind }: Input, value: unknown): unknown {
  if (typeof value === 'string' && value.length > VALUE_MAX) return undefined;
  switch (kind) {
    case 'text':
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : undefined;
    case 'number':
    case 'integer': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
      return kind === 'integer' && !Number.isInteger(number) ? undefined : number;
    }
    case 'boolean':
      if (typeof value === 'boolean') return value;
      return /^(true|on|yes|1)$/i.test(String(value))
        ? true
        : /^(false|off|no|0)$/i.test(String(value))
          ? false
          : undefined;
    case 'list':
      return Array.isArray(value) ? value : typeof value === 'string' ? listOf(value) : undefined;
    case 'map': {
      const map = typeof value === 'string' ? parsed(value) : value;
      return map !== null && typeof map === 'object' ? map : undefined;
    }
  }
}

/** JSON, or as Heat writes it: values between commas. */
function listOf(text: string): readonly unknown[] {
  const list = parsed(text);
  return Array.isArray(list) ? list : text.split(',').map((one) => one.trim());
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function keeps(value: unknown, rule: Rule): boolean {
  if ('one' in rule) return rule.one.some((one) => String(one) === String(value));
  if ('pattern' in rule) return matches(String(value), rule.pattern);
  if ('step' in rule) return (Number(value) - rule.offset) % rule.step === 0;
  const size = rule.of === 'value' ? Number(value) : Array.isArray(value) ? value.length : [...String(value)].length;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = rule;
  return rule.beyond === true ? size > min && size < max : size >= min && size <= max;
}

/**
 * A template may come from anybody, and a pattern can take for ever. Those that cannot (few repetitions, none of a group, of
 * a short text) are looked at; others are left to what carries the value out.
 */
function matches(text: string, pattern: string): boolean {
  const repeats = pattern.match(/[*+{]/g)?.length ?? 0;
  if (/\)[*+?{]|\\[1-9k]/.test(pattern) || repeats > PATTERN_REPEATS_MAX || text.length > PATTERN_TEXT_MAX) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true;
  }
}

function wordsOf(rule: Rule): string {
  if ('one' in rule) return `one of ${rule.one.map(String).join(', ').slice(0, 200)}`;
  if ('pattern' in rule) return `like ${rule.pattern.slice(0, 200)}`;
  if ('step' in rule) return `${rule.offset} and a multiple of ${rule.step}`;
  const what = rule.of === 'value' ? '' : 'as long as ';
  const { min, max, beyond } = rule;
  const from = min === undefined ? '' : `${beyond === true ? 'more than' : 'at least'} ${min}`;
  const to = max === undefined ? '' : `${beyond === true ? 'less than' : 'at most'} ${max}`;
  return what + [from, to].filter((one) => one !== '').join(' and ');
}
