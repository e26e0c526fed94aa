import type { Position } from '@superfluidity/core';
import { dialectLimits } from '../errors.ts';
import { at, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import type { Report } from '../report.ts';
import type { Path, YamlText } from '../yaml-text.ts';
import { evaluate, isPlainGroup, truth, Unknown } from './values.ts';

/** What a resource says of its unit that Heat has no property for, in the metadata that Heat keeps beside it. */
export const MARKS = 'superfluidity.unit';

/** A template where it stands. */
export interface Template {
  readonly path: string;
  readonly text: YamlText;
  readonly value: Group;
}

/** What all stacks of one reading share. */
export interface Package {
  readonly templates: ReadonlyMap<string, Template>;
  /** Files that are no templates, as text. */
  readonly others: ReadonlyMap<string, string>;
  /** Values of environments. */
  readonly parameters: Group;
  readonly report: Report;
  steps: number;
}

/** How many of what is inside a group. */
export interface Scaled {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

export interface Resource {
  readonly name: string;
  readonly type: string;
  readonly stack: Stack;
  readonly position: (...path: Path) => Position;
  readonly dependsOn: readonly string[];
  readonly metadata: Group;
  /** Evaluated when first asked for, as all that follows. */
  readonly properties: () => Group;
  /** The stack that it is, or that a group has several of: none where its template is not in the package. */
  readonly inner: () => readonly Stack[] | undefined;
  readonly scale: () => Scaled | undefined;
}

const GROUPS: Readonly<Record<string, string>> = {
  'OS::Heat::ResourceGroup': 'resource_def',
  'OS::Heat::AutoScalingGroup': 'resource',
};

/** A template with values for its parameters. */
export class Stack {
  readonly template: Template;
  readonly resources = new Map<string, Resource>();
  readonly #package: Package;
  readonly #given: Group;
  readonly #depth: number;
  readonly #open = new Set<string>();

  constructor(template: Template, given: Group, all: Package, depth = 0) {
    this.template = template;
    this.#given = given;
    this.#package = all;
    this.#depth = depth;
    for (const [name, value] of Object.entries(groupAt(template.value, 'resources'))) {
      if (isGroup(value)) this.#add(name, value);
    }
  }

  get report(): Report {
    return this.#package.report;
  }

  /** Bounds what a package can ask for: values that are looked at or made. */
  step(count = 1): void {
    this.#package.steps += count;
    if (this.#package.steps > dialectLimits.heatSteps) throw new TooMuch(this.template.text.locate([]));
  }

  parameter(name: string): unknown {
    if (Object.hasOwn(this.#given, name)) return this.#given[name];
    if (this.#depth === 0 && Object.hasOwn(this.#package.parameters, name)) return this.#package.parameters[name];
    const declared = groupAt(this.template.value, 'parameters', name);
    if (declared['default'] !== undefined && declared['default'] !== null) return declared['default'];
    if (name === 'OS::stack_name') return fileName(this.template.path);
    return new Unknown(name);
  }

  hasCondition(name: string): boolean {
    return at(this.template.value, 'conditions', name) !== undefined;
  }

  /** True, false, or what it waits for. */
  condition(named: unknown): unknown {
    if (typeof named !== 'string') return truth(evaluate(named, this), this);
    return this.#once(`condition ${named}`, () => {
      const value = at(this.template.value, 'conditions', named);
      return value === undefined ? new Unknown(named) : truth(evaluate(value, this), this);
    });
  }

  output(name: string): unknown {
    return this.#once(`output ${name}`, () => {
      const value = at(this.template.value, 'outputs', name, 'value');
      return value === undefined ? undefined : evaluate(value, this);
    });
  }

  file(path: string): string | undefined {
    return this.#package.others.get(resolvePath(this.template.path, path));
  }

  /** What refers to itself is not known. */
  #once(what: string, make: () => unknown): unknown {
    if (this.#open.has(what)) return new Unknown(what);
    this.#open.add(what);
    try {
      return make();
    } finally {
      this.#open.delete(what);
    }
  }

  #add(name: string, value: Group): void {
    const type = textOf(value['type']) ?? '';
    const path: Path = ['resources', name];
    const holds = value['condition'] === undefined || this.condition(value['condition']) !== false;
    if (!holds) return;
    const properties = lazily((): Group => {
      const all = this.#once(`properties ${name}`, () => evaluate(value['properties'] ?? {}, this));
      return isPlainGroup(all) ? all : {};
    });
    const after = value['depends_on'];
    this.resources.set(name, {
      name,
      type,
      stack: this,
      position: (...inside) => this.template.text.locate([...path, ...inside], inside.length === 0 ? 'key' : 'value'),
      dependsOn: (typeof after === 'string' ? [after] : listOf(after)).map(String),
      metadata: groupAt(value, 'metadata', MARKS),
      properties,
      inner: lazily(() => this.#inner(type, properties)),
      scale: () => scaleOf(type, properties),
    });
  }

  /** The stack of a template that is the type of a resource, or a stack around the only resource that a group repeats. */
  #inner(type: string, properties: () => Group): readonly Stack[] | undefined {
    if (this.#depth >= dialectLimits.heatDepth) return undefined;
    const nested = (path: string, given: Group) => {
      const template = this.#package.templates.get(resolvePath(this.template.path, path));
      return template === undefined || template === this.template
        ? []
        : [new Stack(template, given, this.#package, this.#depth + 1)];
    };
    this.step();
    if (isTemplate(type)) return nested(type, properties());
    const field = GROUPS[type];
    if (field === undefined) return undefined;
    const definition = properties()[field];
    if (!isPlainGroup(definition)) return [];
    const repeated = textOf(definition['type']) ?? '';
    const given = isPlainGroup(definition['properties']) ? definition['properties'] : {};
    if (isTemplate(repeated)) return nested(repeated, given);
    // Its properties are evaluated already: nothing in them is a function any more.
    const only = {
      ...this.template,
      value: { resources: { member: { type: repeated, properties: given, metadata: definition['metadata'] ?? {} } } },
    };
    return [new Stack(only, {}, this.#package, this.#depth + 1)];
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Thrown to leave a reading that would take too long. */
export class TooMuch extends Error {
  readonly position: Position;

  constructor(position: Position) {
    super('too much');
    this.position = position;
  }
}

/** Whether a type is a template of its own, and not one of Heat's. */
export const isTemplate = (type: string): boolean => /\.(?:ya?ml|template)$/.test(type);

export const fileName = (path: string): string => path.replace(/^.*\//, '').replace(/\.[^.]*$/, '');

/** A path of a template beside, below or above another, inside of the package. */
export function resolvePath(from: string, path: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of path.replace(/^file:\/\/\/?/, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function scaleOf(type: string, properties: () => Group): Scaled | undefined {
  if (GROUPS[type] === undefined) return undefined;
  const number = (name: string) => {
    const value = Number(properties()[name] ?? Number.NaN);
    return Number.isInteger(value) && value >= 0 && value <= 1_000_000 ? value : undefined;
  };
  if (type === 'OS::Heat::ResourceGroup') {
    const count = number('count') ?? 1;
    return { initial: count, min: count, max: count };
  }
  const min = number('min_size') ?? 0;
  const max = number('max_size') ?? Math.max(1, min);
  return { initial: number('desired_capacity') ?? min, min, max };
}
