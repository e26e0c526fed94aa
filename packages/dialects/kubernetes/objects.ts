import { append, type Problem } from '@superfluidity/core';
import { dialectLimits } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { at, isGroup, type Group } from '../groups.ts';
import { isTree } from '../recognise.ts';
import { readShape } from '../shape.ts';
import { partOf, readYamlDocuments, type YamlText } from '../yaml-text.ts';
import { anyShape, isKind, shapes } from './shape.ts';

/** An object where it stands: a document of a file, or an item of a List. */
export interface Found {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly value: Group;
  readonly text: YamlText;
}

/** The objects of all files in the order in which they are written. Whatever is wrong with one is in `problems`. */
export function findObjects(files: readonly DescriptorFile[]): {
  readonly objects: readonly Found[];
  readonly problems: readonly Problem[];
} {
  const objects: Found[] = [];
  const problems: Problem[] = [];
  const add = (text: YamlText): void => {
    if (text.problems.length > 0) return void append(problems, text.problems);
    const value = withoutNulls(text.value);
    if (!isGroup(value)) return;
    const { kind } = value;
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(value['items'])) {
      return value['items'].forEach((_, i) => add(partOf(text, ['items', i])));
    }
    // What is beside the manifests: values of a chart, for instance.
    if (value['apiVersion'] === undefined && kind === undefined) return;
    const cleaned = { ...text, value };
    const shape = readShape(cleaned, typeof kind === 'string' && isKind(kind) ? shapes[kind] : anyShape, {});
    if (!('value' in shape)) return void append(problems, shape.problems);
    const { metadata = {} } = shape.value;
    const name = metadata.name ?? metadata.generateName?.replace(/-+$/, '') ?? '';
    objects.push({ kind: shape.value.kind, name, namespace: metadata.namespace, value, text: cleaned });
  };
  for (const file of files.filter(isTree)) {
    for (const text of readYamlDocuments(file.bytes, file.path)) {
      add(text);
      if (objects.length > dialectLimits.objects) return { objects: [], problems: [tooMany(text)] };
    }
  }
  return { objects, problems: problems.slice(0, dialectLimits.problems) };
}

function tooMany(text: YamlText): Problem {
  const message = `more than ${dialectLimits.objects} objects`;
  return { severity: 'error', code: 'SF-DESCRIPTOR-TOO-LARGE', message, path: '', position: text.locate([]) };
}

/** Null is absent (API conventions); items of lists keep their places. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isGroup(value)) return value;
  const some = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(some.map(([name, inner]) => [name, withoutNulls(inner)]));
}

/** Whether labels are among those that a selector asks for. One that asks for nothing is no selector here. */
export function selects(selector: Group | undefined, labels: Group): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}

/** Where the labels, annotations and pods of a workload are. */
export function templateOf(kind: string, value: Group): Group {
  const template = kind === 'Pod' || kind === 'VirtualMachineInstance' ? value : at(value, 'spec', 'template');
  return isGroup(template) ? template : {};
}

export const describe = ({ kind, name }: Found): string => `${kind} '${name}'`;
