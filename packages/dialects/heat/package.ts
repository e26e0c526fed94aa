import { append, type Problem } from '@superfluidity/core';
import { z } from 'zod';
import { dialectLimits } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { groupAt, isGroup, textOf, type Group } from '../groups.ts';
import { named } from '../recognise.ts';
import { readShape } from '../shape.ts';
import { decodeUtf8 } from '../utf8.ts';
import { yamlOf, type YamlText } from '../yaml-text.ts';
import { isTemplate, resolvePath, type Template } from './stack.ts';

/**
 * The parts of HOT that are read (template guide, heat_template_version 2013-05-23 to 2021-04-16). Properties of resources are
 * looked at one by one; what else they say is carried.
 */
const name = z.string().min(1).max(255);
const group = z.record(z.string().max(4_096), z.unknown());
const resource = z.looseObject({
  type: name,
  properties: group.exactOptional(),
  metadata: group.exactOptional(),
  depends_on: z.union([name, z.array(name).max(10_000)]).exactOptional(),
  condition: z.unknown().exactOptional(),
});

export const templateShape = z
  .looseObject({
    heat_template_version: z.union([z.string().max(32), z.number()]),
    description: z.string().max(65_536).exactOptional(),
    parameters: z.record(name, z.looseObject({ type: z.string().max(64) })).exactOptional(),
    conditions: group.exactOptional(),
    resources: z.record(name, resource).exactOptional(),
    outputs: z.record(name, z.looseObject({ value: z.unknown() })).exactOptional(),
  })
  .meta({ title: 'Heat Orchestration Template, as far as it is read' });

export interface Files {
  readonly templates: ReadonlyMap<string, Template>;
  readonly others: ReadonlyMap<string, string>;
  readonly parameters: Group;
  readonly problems: readonly Problem[];
}

/** Templates, environments, and what templates take from other files. */
export function sortFiles(files: readonly DescriptorFile[], inputs: Group = {}): Files {
  const templates = new Map<string, Template>();
  const others = new Map<string, string>();
  const problems: Problem[] = [];
  let parameters: Group = {};
  for (const file of files) {
    const text = named('yaml', 'yml', 'json', 'template')(file) ? yamlOf(file) : undefined;
    const path = resolvePath('', file.path);
    if (text !== undefined && /heat_template_version/.test(new TextDecoder().decode(file.bytes))) {
      if (text.problems.length > 0) append(problems, text.problems);
      else if (isGroup(text.value) && text.value['heat_template_version'] !== undefined) {
        const template = templateOf(path, text, problems);
        if (template !== undefined) templates.set(path, template);
        continue;
      }
    }
    const value = text?.problems.length === 0 ? text.value : undefined;
    if (isEnvironment(value))
      parameters = { ...parameters, ...groupAt(value, 'parameter_defaults'), ...groupAt(value, 'parameters') };
    const content = decodeUtf8(file.bytes);
    if (typeof content === 'string' && content.length <= dialectLimits.fileBytes) others.set(path, content);
  }
  return {
    templates,
    others,
    parameters: { ...parameters, ...inputs },
    problems: problems.slice(0, dialectLimits.problems),
  };
}

const isEnvironment = (value: unknown): boolean =>
  isGroup(value) && ['parameters', 'parameter_defaults', 'resource_registry'].some((field) => isGroup(value[field]));

function templateOf(path: string, text: YamlText, problems: Problem[]): Template | undefined {
  const value = withoutNulls(text.value as Group);
  const shape = readShape({ ...text, value }, templateShape, {});
  if (!('value' in shape)) {
    append(problems, shape.problems);
    return undefined;
  }
  return { path, text, value };
}

/** `outputs:` with nothing below it is no output; so with sections of all kinds, and what is in them. */
function withoutNulls(value: Group): Group {
  const some = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(
    some.map(([name_, inner]) => {
      if (name_ !== 'resources' || !isGroup(inner)) return [name_, inner];
      const resources = Object.entries(inner).filter(([, one]) => one !== null);
      const plain = resources.map(
        ([key, one]) =>
          [
            key,
            isGroup(one) ? Object.fromEntries(Object.entries(one).filter(([, part]) => part !== null)) : one,
          ] as const,
      );
      return [name_, Object.fromEntries(plain)];
    }),
  );
}

/** The template that no other has a resource of: of several, the first, and the rest are told. */
export function entriesOf({ templates }: Files): readonly Template[] {
  const used = new Set<string>();
  const visit = (value: unknown, from: string, depth: number): void => {
    if (depth > dialectLimits.depth) return;
    if (Array.isArray(value)) return value.forEach((item) => visit(item, from, depth + 1));
    if (!isGroup(value)) return;
    const type = textOf(value['type']);
    if (type !== undefined && isTemplate(type)) used.add(resolvePath(from, type));
    for (const inner of Object.values(value)) visit(inner, from, depth + 1);
  };
  for (const { path, value } of templates.values()) visit(groupAt(value, 'resources'), path, 0);
  return [...templates.values()].filter(({ path }) => !used.has(path));
}
