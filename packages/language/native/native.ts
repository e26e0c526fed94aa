import { readNative } from '@superfluidity/dialects/languages';
import { isMap, type Node } from 'yaml';
import type { Completion } from '../complete.ts';
import type { LanguageDocument } from '../document.ts';
import type { LanguageSupport } from '../support.ts';
import { nativeNames } from './names.ts';
import { definedAt, roleAt } from './roles.ts';
import { descriptionOf, fieldsAt, isRequired, schemasAt, typeOf, valuesOf } from './schema.ts';
import { leavesOf, lengthAt, type Path, nodeAt, textAt, treeOf } from './tree.ts';

/** A word that no descriptor has: it stands for what is being written. */
const CURSOR = 'zz9cursor9zz';

export const native: LanguageSupport = {
  read: ({ path, text }) => readNative(text, { file: path }),
  names: nativeNames,

  complete: (document, offset) => {
    const { text } = document;
    let from = offset;
    while (from > 0 && /[\w$/.-]/.test(text[from - 1]!)) from -= 1;
    const rest = /^[\w$/.-]*/.exec(text.slice(offset, offset + 256))![0];
    const [before, after] = [text.slice(0, from), text.slice(offset + rest.length)];
    const span = { from, to: offset };
    const asField = /^\s*:/.test(after) ? CURSOR : `${CURSOR}: `;
    const [field, value] = [find(`${before}${asField}${after}`), find(`${before}${CURSOR}${after}`)];
    return [
      ...(field?.isKey === true ? fields(field.path.slice(0, -1), treeOf(document), span) : []),
      ...(value?.isKey === false ? values(value.path, treeOf(document), span) : []),
    ];

    function find(whole: string) {
      const at: LanguageDocument = { ...document, text: whole };
      for (const leaf of leavesOf(treeOf(at))) if (leaf.node.value === CURSOR) return leaf;
      return undefined;
    }
  },

  explain: (document, offset) => {
    for (const { path, isKey, node } of leavesOf(treeOf(document))) {
      const [from, to] = node.range ?? [0, 0];
      if (offset < from || offset > to || from === to) continue;
      const schemas = schemasAt(path);
      if (schemas.length === 0) continue;
      const name = [...path].reverse().find((step) => typeof step === 'string');
      const needed = isKey && isRequired(path) ? ', needed' : '';
      const allowed = valuesOf(schemas).map((value) => `\`${value}\``);
      const lines = [
        `field \`${name ?? ''}\` (${typeOf(schemas)}${needed})`,
        descriptionOf(schemas),
        allowed.length === 0 ? '' : `One of ${allowed.join(', ')}.`,
      ];
      return { from, to, text: lines.filter((line) => line !== '').join('\n\n') };
    }
    return undefined;
  },

  refuseName: (_kind, name) =>
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
      ? undefined
      : `'${name}' is no DNS label: lower case letters, digits and hyphens, at most 63, no hyphen at either end`,
};

type Replaced = Pick<Completion, 'from' | 'to'>;

/** Fields that the group at a path can have and has not. */
function fields(path: Path, root: Node | null, span: Replaced): readonly Completion[] {
  const group = nodeAt(root, path);
  const has = (name: string) => isMap(group) && group.has(name);
  return [...fieldsAt(path)]
    .filter(([name]) => !has(name))
    .map(([name, schemas]): Completion => {
      const documentation = descriptionOf(schemas);
      return {
        ...span,
        label: name,
        kind: 'field',
        insert: `${name}: `,
        detail: `${typeOf(schemas)}${isRequired([...path, name]) ? ', needed' : ''}`,
        ...(documentation === '' ? {} : { documentation }),
      };
    });
}

/** Values that are listed, and names of what the document defines. */
function values(path: Path, root: Node | null, span: Replaced): readonly Completion[] {
  const role = roleAt(path);
  const listed = definedAt(path) === undefined ? valuesOf(schemasAt(path)) : [];
  const named = (labels: readonly string[], detail: string) =>
    labels.map((label): Completion => ({ ...span, label, kind: 'name', detail }));
  const names = () => {
    switch (role) {
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
  };
  return [...names(), ...listed.map((label): Completion => ({ ...span, label, kind: 'value' }))];
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
