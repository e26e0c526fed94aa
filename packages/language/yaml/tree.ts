import { yamlNodes, yamlTrees } from '@superfluidity/dialects/languages';
import { isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { remembered, type LanguageDocument, type Span } from '../document.ts';

export type Path = readonly (string | number)[];

/** The nodes of a descriptor, whatever is wrong with it. */
export const treeOf = remembered(({ text }: LanguageDocument): Node | null => yamlNodes(text));

/** The nodes of each of its documents, as manifests have them. */
export const treesOf = remembered(({ text }: LanguageDocument): readonly (Node | null)[] =>
  (yamlTrees(text) ?? []).map(({ contents }) => contents),
);

/** A text value or the name of a field, where it stands. */
export interface Leaf {
  /** Of a field, the path with its name. */
  readonly path: Path;
  readonly isKey: boolean;
  readonly node: Scalar;
}

const DEPTH_MAX = 64;

/** All leaves, in the order of the text. What aliases stand for is not followed. */
export function* leavesOf(node: Node | null, path: Path = []): Generator<Leaf> {
  if (path.length > DEPTH_MAX) return;
  if (isScalar(node)) yield { path, isKey: false, node };
  else if (isSeq(node))
    for (const [i, item] of node.items.entries()) yield* leavesOf(item as Node | null, [...path, i]);
  else if (isMap(node))
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const inner = [...path, String(key.value)];
      yield { path: inner, isKey: true, node: key };
      yield* leavesOf(value as Node | null, inner);
    }
}

/** What is at a path. */
export function nodeAt(root: Node | null, path: Path): Node | null {
  let node = root;
  for (const step of path) {
    if (isMap(node)) node = (node.get(step, true) ?? null) as Node | null;
    else if (isSeq(node)) node = (node.items[Number(step)] ?? null) as Node | null;
    else return null;
  }
  return node;
}

/** The text of a value at a path, if it is one. */
export function textAt(root: Node | null, path: Path): string | undefined {
  const node = nodeAt(root, path);
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

/** How many items the list at a path has. */
export function lengthAt(root: Node | null, path: Path): number {
  const node = nodeAt(root, path);
  return isSeq(node) ? node.items.length : 0;
}

export function hasAt(root: Node | null, path: Path): boolean {
  return nodeAt(root, path) !== null;
}

/** Where the letters of a text are that is written as it is: without quotes, or in quotes without escapes. */
export function lettersOf({ range, value }: Scalar, text: string): (Span & { readonly isPlain: boolean }) | undefined {
  if (range === null || range === undefined || typeof value !== 'string') return undefined;
  const [from, to] = range;
  const quote = text[from];
  if (quote !== '"' && quote !== "'") return text.slice(from, to) === value ? { from, to, isPlain: true } : undefined;
  return text.slice(from + 1, to - 1) === value ? { from: from + 1, to: to - 1, isPlain: false } : undefined;
}
