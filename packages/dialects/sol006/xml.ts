import type { Position, Problem } from '@superfluidity/core';
import { formatPath, shorten, type Path, type YamlText } from '../yaml-text.ts';
import { readXmlText, type XmlElement } from '../xml-text.ts';
import type { DescriptorFile } from '../files.ts';
import { yangKinds } from './yang-kinds.ts';

const kindByEnding = new Map(
  Object.entries(yangKinds).flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
);
/** Of the augmentation `superfluidity-nfv`. */
for (const [kind, ...endings] of [
  ['boolean', 'vduParentMandatory'],
  ['list', 'nsd/policy'],
  ['text-list', 'reach/from', 'reach/to', 'deny/from', 'deny/to', 'through/from', 'through/waypoints', 'check/from'],
] as const)
  for (const ending of endings) kindByEnding.set(ending, kind);

/** Where a value stands, and what is inside. */
export interface XmlPlace {
  readonly at: Position;
  readonly inner: Map<string | number, XmlPlace>;
  /** Names of the elements from the root to here. */
  readonly path: readonly string[];
  /** Absent of a list, whose items are elements. */
  readonly element?: XmlElement;
}

/** A value, and where its parts stand in the text; or what is wrong. */
export interface XmlTree {
  readonly value?: unknown;
  readonly problems: readonly Problem[];
  readonly place?: XmlPlace;
}

/**
 * The XML encoding of a descriptor (RFC 7950, clauses 7.5-7.8) as the value that its JSON encoding has (RFC 7951), with the
 * positions of the XML.
 */
export function xmlDescriptor(file: DescriptorFile): YamlText {
  const { place, ...tree } = xmlTree(file);
  if (place === undefined) {
    const start = () => tree.problems[0]?.position ?? { file: file.path, line: 1, column: 1 };
    return { problems: tree.problems, locate: start, within: start };
  }
  return { ...tree, locate: (path) => locate(place, path), within: (path) => locate(place, path) };
}

export function xmlTree(file: DescriptorFile): XmlTree {
  const { root, problems } = readXmlText(file.bytes, file.path);
  if (root === undefined) return { problems };
  const found: Problem[] = [];
  const place: XmlPlace = { at: root.position, inner: new Map(), path: [] };
  const value: Record<string, unknown> = Object.create(null);
  add(value, place, root, [root.name], found);
  return { ...(found.length === 0 ? { value } : {}), problems: found, place };
}

function locate(root: XmlPlace, path: Path): Position {
  let place = root;
  for (const part of path) {
    const inner = place.inner.get(part);
    if (inner === undefined) break;
    place = inner;
  }
  return place.at;
}

/** Adds an element to the group of the one around it: to its list where it is an entry of one. */
function add(
  group: Record<string, unknown>,
  place: XmlPlace,
  element: XmlElement,
  path: readonly string[],
  problems: Problem[],
): void {
  const kind = kindOf(path);
  const { name, position } = element;
  const here: XmlPlace = { at: position, inner: new Map(), path, element };
  if (kind === 'list' || kind === 'text-list' || kind === 'identityref-list') {
    const list = (group[name] ??= []) as unknown[];
    const lists: XmlPlace = place.inner.get(name) ?? { at: position, inner: new Map(), path };
    place.inner.set(name, lists);
    lists.inner.set(list.length, here);
    list.push(
      kind === 'list' ? inside(element, here, path, problems) : leafOf(element, kind.slice(0, -'-list'.length)),
    );
    return;
  }
  if (Object.hasOwn(group, name) || name === '__proto__') {
    problems.push({
      severity: 'error',
      code: 'SF-DESCRIPTOR-DUPLICATE-KEY',
      message: `'${shorten(name)}' is given twice`,
      path: formatPath(path),
      position,
    });
    return;
  }
  place.inner.set(name, here);
  const leaf = element.children.length === 0 && (kind !== undefined || element.text.trim() !== '' || !isRoot(path));
  group[name] = leaf ? leafOf(element, kind ?? 'text') : inside(element, here, path, problems);
}

const isRoot = (path: readonly string[]) => path.length === 1;

function inside(element: XmlElement, place: XmlPlace, path: readonly string[], problems: Problem[]): unknown {
  const group: Record<string, unknown> = Object.create(null);
  for (const child of element.children) add(group, place, child, [...path, child.name], problems);
  return group;
}

/** The kind under the longest ending of the path that is known; of what is plain text or a group, none. */
export function kindOf(path: readonly string[]): string | undefined {
  // A module `etsi-nfv-vnfd` has its one descriptor at the top, and not in a list.
  if (isRoot(path)) return undefined;
  for (let length = Math.min(3, path.length); length > 0; length -= 1) {
    const kind = kindByEnding.get(path.slice(-length).join('/'));
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** What cannot be a value of its kind stays text: the checks of the shape name it. */
function leafOf(element: XmlElement, kind: string): unknown {
  const text = element.text.trim();
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind === 'number') return /^[+-]?\d{1,10}$/.test(text) ? Number(text) : text;
  if (kind !== 'identityref') return text;
  const [, prefix, name] = /^([\w.-]+):([\w.-]+)$/.exec(text) ?? [];
  const namespace = prefix === undefined ? undefined : element.prefixes[prefix];
  return namespace === undefined ? text : `${namespace.slice(namespace.lastIndexOf(':') + 1)}:${name}`;
}
