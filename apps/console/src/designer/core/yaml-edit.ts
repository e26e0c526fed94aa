import { canonicalJson, type Problem } from '@superfluidity/core';
import type { Path } from '@superfluidity/dialects/languages';
import { type Document, isCollection, isMap, isSeq, parseDocument, visit } from 'yaml';
import type { Version } from './history.ts';
import { designLimits } from './limits.ts';
import { mergeTexts } from './merge.ts';

/** A change of a text, with what is lost because its dialect has no words for it; or why it cannot be made. */
export type Edited =
  | {
      readonly text: string;
      /** All of the design, where it is more than its text: of a tree of files. */
      readonly version?: Version;
      readonly losses?: readonly Problem[];
    }
  | { readonly refused: string };

/** A change that cannot be made of this document. Caught by `editYaml`, which every edit goes through. */
export class Refused extends Error {}

const PARSE = { version: '1.2', schema: 'core', keepSourceTokens: false } as const;

/**
 * Changes the text through its document, and leaves every line as it was written on which nothing was changed: what the
 * change does to the document as the library would write it is merged into the text as somebody did.
 */
export function editYaml(text: string, change: (document: Document) => void): Edited {
  if (text.length > designLimits.text) return { refused: 'the text is too large' };
  const document = parseDocument(text, PARSE);
  if (document.errors.length > 0) return { refused: 'the text cannot be read: mend it first' };
  const form = {
    lineWidth: 0,
    flowCollectionPadding: /\{ \S/.test(text),
    indentSeq: !/^( *)[\w-]+:[ \t]*\n\1- /m.test(text),
  };
  const before = document.toString(form);
  try {
    change(document);
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    // What is an alias, or a plain value, has nothing inside that could be changed.
    if (error instanceof Error && error.message.startsWith('Expected YAML collection'))
      return { refused: 'what would be changed is written elsewhere in the text: change it there' };
    throw error;
  }
  visit(document, { Collection: (_key, node) => inOneLine(node) });
  const after = document.toString(form);
  if (after === before) return { text };
  const merged = mergeTexts(before, text, after, 'theirs').text;
  return { text: saysTheSame(merged, after) ? merged : after };
}

/** Nodes that an edit has made: small groups of plain values stand in one line, as people write them. */
const fresh = new WeakSet<object>();

/** A value as a node of the document. */
export function nodeOf(document: Document, value: unknown): ReturnType<Document['createNode']> {
  const node = document.createNode(value, { aliasDuplicateObjects: false });
  visit(node, {
    Collection(_key, inner) {
      fresh.add(inner);
    },
  });
  return node;
}

function inOneLine(node: unknown): void {
  if (!isCollection(node) || !fresh.has(node)) return;
  const plain = (item: unknown) => !isMap(item) && !isSeq(item);
  const flat = isSeq(node) ? node.items.every(plain) : isMap(node) && node.items.every(({ value }) => plain(value));
  if (flat && String(node).length <= 80 && !/[|\n]/.test(String(node).trim())) node.flow = true;
}

function saysTheSame(a: string, b: string): boolean {
  const [one, other] = [parseDocument(a, PARSE), parseDocument(b, PARSE)];
  if (one.errors.length > 0 || other.errors.length > 0) return false;
  return canonicalJson(one.toJS() ?? null) === canonicalJson(other.toJS() ?? null);
}

/** The plain value at a path; undefined where there is none. */
export function valueAt(document: Document, path: Path): unknown {
  const node = document.getIn(path, true);
  return isCollection(node) ? node.toJS(document) : document.getIn(path);
}

export function listAt(document: Document, path: Path): readonly unknown[] {
  const value = valueAt(document, path);
  return Array.isArray(value) ? value : [];
}

/** Adds to the list at the path, which is made where there is none. Returns the path of what was added. */
export function append(document: Document, path: Path, value: unknown): Path {
  const list = document.getIn(path, true);
  if (isSeq(list)) {
    // `[]` was written in one line for want of anything in it.
    if (list.items.length === 0 && typeof value === 'object') list.flow = false;
    list.add(nodeOf(document, value));
    return [...path, list.items.length - 1];
  }
  if (list !== undefined && list !== null && !(typeof list === 'object' && 'value' in list && list.value === null))
    throw new Refused(`${path.join('.')} is no list of its own`);
  document.setIn(path, nodeOf(document, [value]));
  return [...path, 0];
}

/** Removes from a list, and the list with the last. */
export function removeAt(document: Document, path: Path): void {
  document.deleteIn(path);
  const above = path.slice(0, -1);
  const list = document.getIn(above, true);
  if (isSeq(list) && list.items.length === 0) document.deleteIn(above);
}

export function set(document: Document, path: Path, value: unknown): void {
  document.setIn(path, typeof value === 'object' && value !== null ? nodeOf(document, value) : value);
}
