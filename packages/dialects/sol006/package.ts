import { append, type Problem } from '@superfluidity/core';
import type { z } from 'zod';
import type { dialectErrors } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { mentions, named } from '../recognise.ts';
import { readShape } from '../shape.ts';
import { formatPath, yamlOf, type Path, type YamlText } from '../yaml-text.ts';
import { valueAt, withoutModules } from './modules.ts';
import { isGroup } from './style.ts';
import { xmlDescriptor } from './xml.ts';

/** A descriptor where it stands in a file. */
export interface Found {
  readonly file: string;
  readonly text: YamlText;
  readonly path: Path;
  readonly value: unknown;
}

export interface FoundDescriptors {
  readonly nsd: readonly Found[];
  readonly vnfd: readonly Found[];
  readonly pnfd: readonly Found[];
  readonly problems: readonly Problem[];
}

export const isXmlDescriptor = mentions(/urn:etsi:nfv:yang:/);

/**
 * All descriptors of a package: under `nfv` (module etsi-nfv-descriptors), under their own name (etsi-nfv-nsd, -vnfd, -pnfd),
 * alone or in lists, with the names of modules or without (RFC 7951).
 */
export function findDescriptors(files: readonly DescriptorFile[]): FoundDescriptors {
  const found = { nsd: [] as Found[], vnfd: [] as Found[], pnfd: [] as Found[] };
  const problems: Problem[] = [];
  for (const source of files) {
    const text = textOf(source);
    if (text === undefined) continue;
    append(problems, text.problems);
    const top: Path = isGroup(text.value) && 'nfv' in text.value ? ['nfv'] : [];
    const root = valueAt(text.value, top);
    for (const kind of ['nsd', 'vnfd', 'pnfd'] as const) {
      const inner = valueAt(root, [kind, kind]);
      const at = [...top, ...(inner === undefined ? [kind] : [kind, kind])];
      const value = inner ?? valueAt(root, [kind]);
      if (value === undefined || value === null) continue;
      const entries = Array.isArray(value)
        ? value.map((item: unknown, i) => [[...at, i], item] as const)
        : [[at, value] as const];
      for (const [path, item] of entries) found[kind].push({ file: source.path, text, path, value: item });
    }
  }
  return { ...found, problems };
}

const texts = new WeakMap<DescriptorFile, YamlText>();

function textOf(file: DescriptorFile): YamlText | undefined {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const read = named('xml')(file)
    ? isXmlDescriptor(file)
      ? xmlDescriptor(file)
      : undefined
    : named('yaml', 'yml', 'json')(file)
      ? yamlOf(file)
      : undefined;
  if (read === undefined) return undefined;
  const text = withoutModules(read);
  texts.set(file, text);
  return text;
}

/** Gathers what is wrong with the descriptors of a package, with positions. */
export class Reporter {
  readonly problems: Problem[] = [];

  report(
    code: keyof typeof dialectErrors,
    found: Found,
    path: Path,
    message: string,
    severity: Problem['severity'] = 'error',
  ): void {
    const full = [...found.path, ...path];
    this.problems.push({ severity, code, message, path: formatPath(full), position: found.text.locate(full) });
  }

  shape<T>(found: Found, schema: z.ZodType<T>): T | undefined {
    const inner: YamlText = {
      value: found.value,
      problems: [],
      locate: (path, what) => found.text.locate([...found.path, ...path], what),
      within: (path, line, column) => found.text.within([...found.path, ...path], line, column),
    };
    const shape = readShape(inner, schema, {});
    if ('value' in shape) return shape.value;
    const at = formatPath(found.path);
    this.problems.push(
      ...shape.problems.map((problem) => ({ ...problem, path: problem.path === '' ? at : `${at}.${problem.path}` })),
    );
    return undefined;
  }

  get failed(): boolean {
    return this.problems.some(({ severity }) => severity === 'error');
  }
}
