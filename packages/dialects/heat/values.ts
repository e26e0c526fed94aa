import { at, isGroup, listOf, same, textOf, type Group } from '../groups.ts';
import { dialectLimits } from '../errors.ts';
import type { Resource, Stack } from './stack.ts';

/** A resource, or an attribute of one. */
export class Reference {
  readonly resource: Resource;
  readonly attribute: readonly unknown[];

  constructor(resource: Resource, attribute: readonly unknown[] = []) {
    this.resource = resource;
    this.attribute = attribute;
  }
}

/** What only Heat knows when it makes the stack: a parameter without a value, the attribute of something outside. */
export class Unknown {
  /** The parameter that would have told, in words. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export const isPlainGroup = (value: unknown): value is Group =>
  isGroup(value) && !(value instanceof Reference) && !(value instanceof Unknown);

/** Whether nothing in a value waits for Heat. */
export function isConstant(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isConstant);
  if (value instanceof Reference || value instanceof Unknown) return false;
  return !isGroup(value) || Object.values(value).every(isConstant);
}

/** What a value counts, as often as a function gives it: a parameter may be a list of a megabyte, and be used a thousand times. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return 1 + Math.floor(value.length / TEXT_OF_A_STEP);
  if (!Array.isArray(value) && !isPlainGroup(value)) return 1;
  const known = weights.get(value);
  if (known !== undefined) return known;
  const weight = Object.values(value).reduce<number>((sum, inner) => sum + weightOf(inner), 1);
  weights.set(value, weight);
  return weight;
}

const TEXT_OF_A_STEP = 1_000;
const weights = new WeakMap<object, number>();

type Apply = (argument: unknown, stack: Stack) => unknown;

/**
 * The functions of HOT (template guide, version 2021-04-16) as far as they can be told before the stack is made. Arguments
 * are evaluated already, but those of `if`, of which only one is.
 */
const functions: Readonly<Record<string, Apply>> = {
  get_param: (argument, stack) => {
    const [name, ...path] = Array.isArray(argument) ? (argument as readonly unknown[]) : [argument];
    const value = stack.parameter(String(name));
    const inner = path.length === 0 || value instanceof Unknown ? value : reach(value, path);
    return inner === undefined || inner instanceof Unknown ? new Unknown([name, ...path].map(String).join('-')) : inner;
  },
  get_resource: (argument, stack) => {
    const resource = stack.resources.get(String(argument));
    return resource === undefined ? new Unknown(String(argument)) : new Reference(resource);
  },
  get_attr: (argument, stack) => {
    const [name, ...path] = listOf(argument);
    const resource = stack.resources.get(String(name));
    if (resource === undefined) return new Unknown(String(name));
    const inner = resource.inner();
    const [output, ...rest] = path;
    if (inner === undefined || inner.length === 0) return new Reference(resource, path);
    const value = inner[0]!.output(String(output));
    if (value instanceof Reference) return new Reference(value.resource, [...value.attribute, ...rest]);
    return value === undefined ? new Unknown(`${String(name)}-${String(output)}`) : reach(value, rest);
  },
  get_file: (argument, stack) => stack.file(String(argument)) ?? new Unknown(String(argument)),
  str_replace: replaced,
  str_replace_strict: replaced,
  str_replace_vstrict: replaced,
  list_join: (argument) => {
    const [delimiter, ...lists] = listOf(argument);
    const items = lists.flatMap((list) => listOf(list));
    if (!items.every(isText)) return new Unknown('list_join');
    const texts = items.map(textual);
    const length = texts.reduce((sum, text) => sum + text.length, texts.length * String(delimiter).length);
    return length > dialectLimits.functionText ? TOO_LONG : texts.join(String(delimiter));
  },
  str_split: (argument) => {
    const [delimiter, text, index] = listOf(argument);
    if (!isText(text) || String(delimiter) === '') return new Unknown('str_split');
    const parts = textual(text).split(String(delimiter));
    return index === undefined ? parts : (parts[Number(index)] ?? '');
  },
  list_concat: (argument) => listOf(argument).flatMap((list) => listOf(list)),
  list_concat_unique: (argument) => {
    return [...new Set(listOf(argument).flatMap((list) => listOf(list)))];
  },
  map_merge: (argument) => Object.assign({}, ...listOf(argument).filter(isPlainGroup)) as unknown,
  equals: (argument) => {
    const [a, b] = listOf(argument);
    if (!isConstant(a) || !isConstant(b)) return new Unknown('equals');
    // Values of parameters are text where an environment or a user gives them.
    return (
      same(a ?? null, b ?? null) || (isText(a) && isText(b) && textual(a).toLowerCase() === textual(b).toLowerCase())
    );
  },
  not: (argument, stack) => {
    const holds = truth(argument, stack);
    return typeof holds === 'boolean' ? !holds : holds;
  },
  and: (argument, stack) => logical(listOf(argument), false, stack),
  or: (argument, stack) => logical(listOf(argument), true, stack),
  contains: (argument) => {
    const [value, list] = listOf(argument);
    if (!isConstant(argument)) return new Unknown('contains');
    return typeof list === 'string' ? list.includes(String(value)) : listOf(list).some((one) => same(one, value));
  },
};

/** Arguments of these are not evaluated before the function is. */
const LAZY = new Set(['if', 'repeat', 'get_file']);

const isText = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
const textual = (value: unknown) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));
const TOO_LONG = new Unknown('a long text');

/** The text with something else in place of a name; undefined where it would be too long. */
function inPlaceOf(name: string, put: string, text: string): string | undefined {
  const parts = text.split(name);
  const length = text.length + (parts.length - 1) * (put.length - name.length);
  return length > dialectLimits.functionText ? undefined : parts.join(put);
}

/** Both an index and a name, as attributes and parameters are looked into. */
export function reach(value: unknown, path: readonly unknown[]): unknown {
  return at(value, ...path.map((step) => (typeof step === 'number' ? step : String(step))));
}

function logical(list: readonly unknown[], decides: boolean, stack: Stack): unknown {
  const all = list.map((one) => truth(one, stack));
  if (all.includes(decides)) return decides;
  return all.every((one) => one === !decides) ? !decides : new Unknown('a condition');
}

/** A truth value, the name of a condition, or the text that a parameter has instead of a truth value. */
export function truth(value: unknown, stack: Stack): unknown {
  if (typeof value !== 'string') return typeof value === 'boolean' ? value : new Unknown('a condition');
  if (stack.hasCondition(value)) return stack.condition(value);
  return /^(?:t|true|on|y|yes|1)$/i.test(value)
    ? true
    : /^(?:f|false|off|n|no|0)$/i.test(value)
      ? false
      : new Unknown(value);
}

/** Longer names first, as Heat does. */
function replaced(argument: unknown, stack: Stack): unknown {
  const { template, params } = isPlainGroup(argument) ? argument : {};
  if (!isText(template) || !isPlainGroup(params)) return new Unknown('str_replace');
  if (textual(template).length > dialectLimits.functionText) return TOO_LONG;
  const names = Object.keys(params).toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1));
  let text = textual(template);
  for (const name of names) {
    stack.step(weightOf(text));
    if (name === '' || !text.includes(name)) continue;
    const value = params[name] ?? '';
    if (!isText(value)) return isConstant(value) ? new Unknown('str_replace') : value;
    const longer = inPlaceOf(name, textual(value), text);
    if (longer === undefined) return TOO_LONG;
    text = longer;
  }
  return text;
}

/** A value of a template with all that can be told put in place of its functions. */
export function evaluate(value: unknown, stack: Stack, depth = 0): unknown {
  stack.step();
  if (depth > dialectLimits.depth) return new Unknown('a deep value');
  if (Array.isArray(value)) return value.map((item) => evaluate(item, stack, depth + 1));
  if (!isPlainGroup(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0) {
    const argument = value[name];
    if (name === 'if') return branch(argument, stack, depth);
    if (name === 'repeat') return repeated(argument, stack, depth);
    const apply = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (apply !== undefined) {
      const result = apply(LAZY.has(name) ? argument : evaluate(argument, stack, depth + 1), stack);
      stack.step(weightOf(result));
      return result;
    }
    if (UNTOLD.has(name)) return new Unknown(name);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, evaluate(inner, stack, depth + 1)]));
}

/** Functions that are carried: only Heat can tell what they come to. */
const UNTOLD = new Set([
  'digest',
  'map_replace',
  'yaql',
  'filter',
  'make_url',
  'resource_facade',
  'Fn::Select',
  'Fn::GetAZs',
  'Fn::Base64',
]);

/** Of a condition that nobody can tell, nothing is told. */
function branch(argument: unknown, stack: Stack, depth: number): unknown {
  const [condition, first, second] = listOf(argument);
  const holds = stack.condition(condition);
  if (typeof holds !== 'boolean') return new Unknown('a condition');
  return evaluate(holds ? first : second, stack, depth + 1);
}

function repeated(argument: unknown, stack: Stack, depth: number): unknown {
  if (!isPlainGroup(argument) || !isPlainGroup(argument['for_each'])) return new Unknown('repeat');
  const lists = Object.entries(argument['for_each']).map(
    ([name, list]) => [name, evaluate(list, stack, depth + 1)] as const,
  );
  if (lists.some(([, list]) => !Array.isArray(list))) return new Unknown('repeat');
  let rounds: readonly (readonly (readonly [string, unknown])[])[] = [[]];
  const pairs = argument['permutations'] === false;
  if (pairs) {
    rounds = listOf(lists[0]?.[1]).map((_, i) => lists.map(([name, list]) => [name, listOf(list)[i]] as const));
  } else {
    for (const [name, list] of lists) {
      const some = listOf(list).slice(0, ROUNDS_MAX);
      const before = some.length === 0 ? [] : rounds.slice(0, Math.ceil(ROUNDS_MAX / some.length));
      stack.step(before.length * some.length * lists.length);
      rounds = before.flatMap((round) => some.map((item) => [...round, [name, item] as const])).slice(0, ROUNDS_MAX);
    }
  }
  return rounds.map((round) => evaluate(substituted(argument['template'], new Map(round), stack), stack, depth + 1));
}

const ROUNDS_MAX = 1_000;

function substituted(value: unknown, items: ReadonlyMap<string, unknown>, stack: Stack): unknown {
  stack.step();
  if (typeof value === 'string') {
    if (items.has(value)) {
      stack.step(weightOf(items.get(value)));
      return items.get(value);
    }
    let text = value;
    for (const [name, item] of items) {
      if (!isText(item) || name === '') continue;
      stack.step(weightOf(text));
      const longer = inPlaceOf(name, textual(item), text);
      if (longer === undefined) return TOO_LONG;
      text = longer;
    }
    return text;
  }
  if (Array.isArray(value)) return value.map((item) => substituted(item, items, stack));
  if (!isPlainGroup(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      textOf(substituted(key, items, stack)) ?? key,
      substituted(inner, items, stack),
    ]),
  );
}
