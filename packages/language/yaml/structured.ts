import { isMap, type Node } from 'yaml';
import type { Completion } from '../complete.ts';
import type { LanguageDocument, Span } from '../document.ts';
import type { LanguageSupport } from '../support.ts';
import { descriptionOf, type Schema, typeOf, valuesOf } from './schema.ts';
import { type Leaf, leavesOf, nodeAt, type Path, treesOf } from './tree.ts';

/** A word that no descriptor has: it stands for what is being written. */
const CURSOR = 'zz9cursor9zz';

/** A place of a text that is a tree: the document that it is in, and the path there. */
export interface TreePlace {
  readonly root: Node | null;
  readonly path: Path;
  readonly document: number;
}

interface Structure {
  readonly schema: Schema | undefined;
  /** Names that can stand at a place, each with what it names. */
  readonly namesAt: (
    document: LanguageDocument,
    place: TreePlace,
  ) => readonly { readonly label: string; readonly detail: string }[];
  /** Whether a new name is given at a place, so that none of the schema is offered. */
  readonly isNamed?: (path: Path) => boolean;
}

type Replaced = Pick<Completion, 'from' | 'to'>;

/** Completion and hover of texts that are trees of fields and lists: YAML and JSON, by a schema and by names. */
export function structured(given: Structure): Pick<LanguageSupport, 'complete' | 'explain'> {
  return {
    complete: (document, offset) => completions(given, document, offset),
    explain: (document, offset) => (given.schema === undefined ? undefined : explained(given.schema, document, offset)),
  };
}

function completions(given: Structure, document: LanguageDocument, offset: number): readonly Completion[] {
  const { text } = document;
  let from = offset;
  while (from > 0 && /[\w$/.-]/.test(text[from - 1]!)) from -= 1;
  const rest = /^[\w$/.-]*/.exec(text.slice(offset, offset + 256))![0];
  const [before, after] = [text.slice(0, from), text.slice(offset + rest.length)];
  const span = { from, to: offset };
  const isQuoted = /["']$/.test(before) && /^["']/.test(after);
  const isJson = /^\s*[{[]/.test(text);
  const asField = isQuoted || /^\s*:/.test(after) ? CURSOR : `${CURSOR}: `;
  const [field, value] = [find(`${before}${asField}${after}`), find(`${before}${CURSOR}${after}`)];
  const roots = treesOf(document);
  const insert = (name: string) => (isQuoted ? name : isJson ? `"${name}": ` : `${name}: `);
  return [
    ...(field?.leaf.isKey === true && given.schema !== undefined
      ? fields(given.schema, { ...field, root: roots[field.document] ?? null }, span, insert)
      : []),
    ...(value?.leaf.isKey === false
      ? values(given, document, { ...value, root: roots[value.document] ?? null }, span)
      : []),
  ];

  function find(whole: string) {
    for (const [at, root] of treesOf({ ...document, text: whole }).entries())
      for (const leaf of leavesOf(root)) if (leaf.node.value === CURSOR) return { leaf, document: at, path: leaf.path };
    return undefined;
  }
}

/** Fields that the group at a path can have and has not. */
function fields(
  schema: Schema,
  { path, root }: TreePlace & { readonly leaf: Leaf },
  span: Replaced,
  insert: (name: string) => string,
): readonly Completion[] {
  const above = path.slice(0, -1);
  const group = nodeAt(root, above);
  const has = (name: string) => isMap(group) && group.has(name);
  return [...schema.fieldsAt(above, root)]
    .filter(({ name }) => !has(name))
    .map(({ name, isRequired, schemas }): Completion => {
      const documentation = descriptionOf(schemas);
      return {
        ...span,
        label: name,
        kind: 'field',
        insert: insert(name),
        detail: `${typeOf(schemas)}${isRequired ? ', needed' : ''}`,
        ...(documentation === '' ? {} : { documentation }),
      };
    });
}

/** Values that are listed, and names of what the document defines. */
function values(given: Structure, document: LanguageDocument, place: TreePlace, span: Replaced): readonly Completion[] {
  const names = given.namesAt(document, place);
  const isNamed = given.isNamed?.(place.path) === true;
  const listed = isNamed || given.schema === undefined ? [] : valuesOf(given.schema.at(place.path, place.root));
  return [
    ...names.map((name): Completion => ({ ...span, ...name, kind: 'name' })),
    ...listed.map((label): Completion => ({ ...span, label, kind: 'value' })),
  ];
}

function explained(
  schema: Schema,
  document: LanguageDocument,
  offset: number,
): (Span & { readonly text: string }) | undefined {
  for (const root of treesOf(document))
    for (const { path, isKey, node } of leavesOf(root)) {
      const [from, to] = node.range ?? [0, 0];
      if (offset < from || offset > to || from === to) continue;
      const schemas = schema.at(path, root);
      if (schemas.length === 0) continue;
      const name = [...path].reverse().find((step) => typeof step === 'string');
      const needed = isKey && schema.isRequired(path, root) ? ', needed' : '';
      const allowed = valuesOf(schemas).map((value) => `\`${value}\``);
      const type = typeOf(schemas);
      const lines = [
        `field \`${name ?? ''}\`${type + needed === '' ? '' : ` (${type}${needed})`}`,
        descriptionOf(schemas),
        allowed.length === 0 ? '' : `One of ${allowed.join(', ')}.`,
      ];
      return { from, to, text: lines.filter((line) => line !== '').join('\n\n') };
    }
  return undefined;
}
