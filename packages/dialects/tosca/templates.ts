import { append, type Problem } from '@superfluidity/core';
import { dialectLimits, type dialectErrors } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { mentions, named } from '../recognise.ts';
import { formatPath, shorten, yamlOf, type Path, type YamlText } from '../yaml-text.ts';
import { at, groupAt, isGroup, listOf, textOf, type Group } from './groups.ts';
import { isNormative, isOwn, isWellKnownImport, knownKind, type Kind } from './types.ts';

/** A file of TOSCA: a service template, or definitions of types. */
export interface Template {
  readonly file: string;
  readonly text: YamlText;
  readonly value: Group;
}

export type Report = (
  code: keyof typeof dialectErrors,
  template: Template,
  path: Path,
  message: string,
  severity?: Problem['severity'],
) => void;

const isYaml = named('yaml', 'yml', 'json', 'tosca', 'template', 'toscatemplate');
const mentionsVersion = mentions(/^\s*["']?tosca_definitions_version["']?\s*:/m);
const META = /(?:^|\/)TOSCA-Metadata\/TOSCA\.meta$/i;

export const isTosca = (file: DescriptorFile): boolean => isYaml(file) && mentionsVersion(file);

/** The TOSCA files of a package, what they import, and which of them substitute nodes of others. */
export class Templates {
  readonly problems: Problem[] = [];
  readonly #templates = new Map<string, Template>();
  readonly #types = new Map<Template, ReadonlyMap<string, Group>>();
  readonly #meta: DescriptorFile | undefined;

  constructor(files: readonly DescriptorFile[]) {
    this.#meta = files.find(({ path }) => META.test(path));
    for (const file of files.filter(isTosca)) {
      const text = yamlOf(file);
      append(this.problems, text.problems);
      if (isGroup(text.value)) this.#templates.set(file.path, { file: file.path, text, value: text.value });
    }
  }

  readonly report: Report = (code, template, path, message, severity = 'error') => {
    if (this.problems.length >= dialectLimits.problems) return;
    const position = template.text.locate(path);
    this.problems.push({ severity, code, message, path: formatPath(path), position });
  };

  /** The template that stands for the whole: named by TOSCA.meta, or the one that no other needs. */
  entry(): Template | undefined {
    const named = this.#named();
    if (named !== undefined) return this.#checked(named);
    const topologies = [...this.#templates.values()].filter(({ value }) => isGroup(value['topology_template']));
    const needed = new Set(topologies.flatMap((one) => this.#neededBy(one)));
    const free = topologies.filter((one) => !needed.has(one));
    const rooted = free.filter(({ file }) => !file.includes('/'));
    const [first, second] = free.length > 1 && rooted.length === 1 ? rooted : free;
    if (first !== undefined && second !== undefined) {
      const message = `there are several service templates, and no TOSCA.meta says whether ${first.file} is meant`;
      this.report('SF-DESCRIPTOR-UNSUPPORTED', second, [], message);
    }
    const entry = first ?? topologies[0];
    if (entry !== undefined) return this.#checked(entry);
    const [any] = this.#templates.values();
    if (any !== undefined) this.report('SF-DESCRIPTOR-MISSING', any, [], "there is no 'topology_template'");
    return undefined;
  }

  #checked(entry: Template): Template {
    for (const template of this.#templates.values()) this.#imports(template, [template.file]);
    return entry;
  }

  #named(): Template | undefined {
    if (this.#meta === undefined) return undefined;
    const [, path] =
      /^Entry-Definitions:[ \t]*(\S.*?)[ \t]*\r?$/m.exec(new TextDecoder().decode(this.#meta.bytes)) ?? [];
    if (path === undefined) return undefined;
    const root = this.#meta.path.slice(0, this.#meta.path.search(META)).replace(/\/$/, '');
    const template = this.#templates.get(normal(root, path) ?? '');
    if (template === undefined) {
      const position = { file: this.#meta.path, line: 1, column: 1 };
      const message = `Entry-Definitions names '${shorten(path)}', which is no TOSCA file of the package`;
      this.problems.push({ severity: 'error', code: 'SF-DESCRIPTOR-REFERENCE', path: '', message, position });
    }
    return template;
  }

  /** Imported, or substituting one of the nodes. */
  #neededBy(template: Template): readonly Template[] {
    const imported = importsOf(template).flatMap(({ name }) => this.#file(template, name) ?? []);
    const own = at(template.value, 'topology_template', 'substitution_mappings', 'node_type');
    const nodes = Object.values(groupAt(template.value, 'topology_template', 'node_templates'));
    const types = nodes.flatMap((node) => textOf(at(node, 'type')) ?? []).filter((type) => type !== own);
    return [...imported, ...types.flatMap((type) => this.substituting(type))].filter((one) => one !== template);
  }

  /** Templates that say what is inside a node of the type. */
  substituting(type: string): readonly Template[] {
    return [...this.#templates.values()].filter(({ value }) => substitutionOf(value)['node_type'] === type);
  }

  #file(from: Template, name: string): Template | undefined {
    const folder = from.file.includes('/') ? from.file.slice(0, from.file.lastIndexOf('/')) : '';
    const beside = normal(folder, name);
    return this.#templates.get(beside ?? '') ?? this.#templates.get(normal('', name) ?? '');
  }

  /** Reports what is missing, goes round in circles, or is too deep. */
  #imports(template: Template, way: readonly string[]): void {
    if (way.length > dialectLimits.imports) {
      this.report('SF-DESCRIPTOR-TOO-DEEP', template, ['imports'], `more than ${dialectLimits.imports} imports deep`);
      return;
    }
    const first = way.length === 1;
    for (const { name, path } of importsOf(template)) {
      const target = this.#file(template, name);
      if (target === undefined) {
        if (!first || isWellKnownImport(name)) continue;
        this.report('SF-DESCRIPTOR-REFERENCE', template, path, `there is no file '${shorten(name)}' in the package`);
      } else if (target.file === way[0]) {
        this.report(
          'SF-DESCRIPTOR-REFERENCE',
          template,
          path,
          `imports go in a circle: ${[...way, target.file].join(', ')}`,
        );
      } else if (!way.includes(target.file) && this.#visits++ < dialectLimits.importVisits) {
        this.#imports(target, [...way, target.file]);
      }
    }
  }

  #visits = 0;

  /** Node types that a template can use: its own, and those of what it imports. */
  typesOf(template: Template): ReadonlyMap<string, Group> {
    const known = this.#types.get(template);
    if (known !== undefined) return known;
    const types = new Map<string, Group>();
    const queue = [template];
    for (const one of queue) {
      for (const [name, type] of Object.entries(groupAt(one.value, 'node_types'))) {
        if (isGroup(type) && !types.has(name)) types.set(name, type);
      }
      for (const { name } of importsOf(one)) {
        const next = this.#file(one, name);
        if (next !== undefined && !queue.includes(next)) queue.push(next);
      }
    }
    this.#types.set(template, types);
    return types;
  }

  /** Undefined for what is known and of no interest; `unknown` for types that nobody defines. */
  kindOf(template: Template, type: string): Kind | 'unknown' | undefined {
    const types = this.typesOf(template);
    const seen = new Set<string>();
    for (let name: string | undefined = type; name !== undefined && !seen.has(name); ) {
      const kind = knownKind(name);
      if (kind !== undefined) return kind;
      seen.add(name);
      const definition: Group | undefined = types.get(name);
      if (definition === undefined) return isNormative(name) ? undefined : 'unknown';
      name = textOf(definition['derived_from']);
    }
    return undefined;
  }

  /** Definitions of the types of nodes that no specification defines, and of what these are derived from. */
  typesUsed(template: Template, of: readonly unknown[]): Group {
    const types = this.typesOf(template);
    const used = new Map<string, Group>();
    const names = of.flatMap((name) => textOf(name) ?? []);
    for (const name of names) {
      const definition = types.get(name);
      if (definition === undefined || isNormative(name) || used.has(name)) continue;
      if (!isOwn(name)) used.set(name, definition);
      const base = textOf(definition['derived_from']);
      if (base !== undefined && base !== name && names.length < dialectLimits.importVisits) names.push(base);
    }
    return Object.fromEntries(used);
  }

  /** What a property of a type is where nothing is said: of the type, or of what it is derived from. */
  defaultOf(template: Template, type: string, property: string): unknown {
    const types = this.typesOf(template);
    const seen = new Set<string>();
    for (let name: string | undefined = type; name !== undefined && !seen.has(name); ) {
      seen.add(name);
      const definition: Group | undefined = types.get(name);
      const value = at(definition, 'properties', property, 'default');
      if (value !== undefined) return value;
      name = textOf(definition?.['derived_from']);
    }
    return undefined;
  }
}

/** Old files of the RDCL designer spell it wrong. */
export function substitutionOf(value: Group): Group {
  const topology = groupAt(value, 'topology_template');
  return groupAt(topology, 'substitution_mappings' in topology ? 'substitution_mappings' : 'subsititution_mappings');
}

function importsOf({ value }: Template): readonly { readonly name: string; readonly path: Path }[] {
  return listOf(value['imports']).flatMap((one, i) => {
    // `path`, `{file: path}`, or `name: path` and `name: {file: path}` (clause 3.6.8).
    const inner = isGroup(one) ? (one['file'] ?? one['url'] ?? Object.values(one)[0]) : one;
    const name = textOf(isGroup(inner) ? inner['file'] : inner);
    return name === undefined ? [] : [{ name, path: ['imports', i] }];
  });
}

/** Undefined for what leads out of the package. */
function normal(folder: string, path: string): string | undefined {
  const parts: string[] = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
