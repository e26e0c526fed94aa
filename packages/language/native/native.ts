import { nativeJsonSchema, readNative } from '@superfluidity/dialects/languages';
import type { Node } from 'yaml';
import type { LanguageSupport } from '../support.ts';
import { type JsonSchema, Schema } from '../yaml/schema.ts';
import { structured } from '../yaml/structured.ts';
import { lengthAt, type Path, textAt } from '../yaml/tree.ts';
import { nativeNames } from './names.ts';
import { definedAt, roleAt } from './roles.ts';

export const native: LanguageSupport = {
  read: ({ path, text }) => readNative(text, { file: path }),
  names: nativeNames,
  ...structured({
    schema: new Schema(nativeJsonSchema as JsonSchema),
    namesAt: (_document, { path, root }) => names(path, root),
    isNamed: (path) => definedAt(path) !== undefined,
  }),

  refuseName: (_kind, name) =>
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
      ? undefined
      : `'${name}' is no DNS label: lower case letters, digits and hyphens, at most 63, no hyphen at either end`,
};

/** Names of what the document defines that can stand at a path. */
function names(path: Path, root: Node | null): readonly { readonly label: string; readonly detail: string }[] {
  const named = (labels: readonly string[], detail: string) => labels.map((label) => ({ label, detail }));
  switch (roleAt(path)) {
    case 'network':
      return named(namesIn(root, ['service', 'networks']), 'network');
    case 'chain':
      return named(namesIn(root, ['service', 'chains']), 'chain');
    case 'unit':
    case 'hop':
      return named(unitPaths(root), 'unit');
    case 'block':
      return named([...namesIn(root, ['service', 'functions']), ...unitPaths(root)], 'function or unit');
    case 'place':
      return [
        ...named([...namesIn(root, ['service', 'functions']), ...unitPaths(root)], 'function or unit'),
        ...named(namesIn(root, ['service', 'networks']), 'network'),
      ];
    case 'end':
      return named(endsIn(root, path.slice(0, -4)), 'port');
    default:
      return [];
  }
}

function namesIn(root: Node | null, list: Path): readonly string[] {
  return Array.from({ length: lengthAt(root, list) }, (_, i) => textAt(root, [...list, i, 'name'])).filter(
    (name): name is string => name !== undefined && name !== '',
  );
}

/** Units as people write them: a function that has one only stands for it. */
function unitPaths(root: Node | null): readonly string[] {
  const list: Path = ['service', 'functions'];
  return Array.from({ length: lengthAt(root, list) }, (_, i) => i).flatMap((i) => {
    const fn = textAt(root, [...list, i, 'name']);
    if (fn === undefined) return [];
    const units = namesIn(root, [...list, i, 'units']);
    return units.length === 0 ? [fn] : units.map((unit) => `${fn}/${unit}`);
  });
}

/** Ports of a block and of those in it, as links name them. */
function endsIn(root: Node | null, block: Path): readonly string[] {
  const ports = (path: Path) =>
    Array.from({ length: lengthAt(root, [...path, 'ports']) }, (_, i) =>
      typeof textAt(root, [...path, 'ports', i]) === 'string'
        ? `eth${i}`
        : (textAt(root, [...path, 'ports', i, 'name']) ?? ''),
    ).filter((name) => name !== '');
  const children = ['functions', 'units', 'elements'].flatMap((list) =>
    Array.from({ length: lengthAt(root, [...block, list]) }, (_, i) => [...block, list, i]),
  );
  return [
    ...ports(block),
    ...children.flatMap((child) => ports(child).map((port) => `${textAt(root, [...child, 'name']) ?? ''}.${port}`)),
  ];
}
