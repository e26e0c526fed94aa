import { invariant } from '@superfluidity/core';
import type { ColumnShape, Table } from '../table.ts';

/** A node of a decision tree: the training cases that reached it, by class, and the class of most of them. */
export type TreeNode = Leaf | NumericSplit | NominalSplit;

interface Reached {
  /** Weights of the training cases of each class. */
  readonly counts: readonly number[];
  /** Index of the class that is answered here. */
  readonly label: number;
}

export interface Leaf extends Reached {
  readonly kind: 'leaf';
}

/** `children[0]` has the rows whose value is at most the threshold, `children[1]` the others. */
export interface NumericSplit extends Reached {
  readonly kind: 'numeric';
  readonly column: number;
  readonly threshold: number;
  readonly children: readonly TreeNode[];
}

/** One child for each name of the column. */
export interface NominalSplit extends Reached {
  readonly kind: 'nominal';
  readonly column: number;
  readonly children: readonly TreeNode[];
}

export type Split = NumericSplit | NominalSplit;

/** Plain JSON. */
export interface C45Tree {
  readonly format: 'c45';
  readonly version: 1;
  readonly columns: readonly ColumnShape[];
  readonly classes: readonly string[];
  readonly root: TreeNode;
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The first class with the largest weight; `otherwise` where no case came. */
export function majority(counts: ArrayLike<number>, otherwise = 0): number {
  let best = otherwise;
  let most = counts[otherwise] ?? 0;
  for (let label = 0; label < counts.length; label += 1) {
    if (counts[label]! > most + 1e-9) {
      most = counts[label]!;
      best = label;
    }
  }
  return best;
}

/** Which child a row goes to; -1 where its value is missing. */
export function branchOf(split: Split, table: Table, row: number): number {
  const column = table.columns[split.column]!;
  if (split.kind === 'nominal') {
    invariant(column.kind === 'nominal', 'a nominal split has a nominal column');
    return column.codes[row]!;
  }
  invariant(column.kind === 'numeric', 'a numeric split has a numeric column');
  const value = column.values[row]!;
  if (value <= split.threshold) return 0;
  return value > split.threshold ? 1 : -1;
}

/** The part of the known training cases that went to each child: where a row without a value goes, in parts. */
export function parts(split: Split): readonly number[] {
  const weights = split.children.map((child) => sum(child.counts));
  const known = sum(weights);
  return known === 0 ? weights.map(() => 1 / weights.length) : weights.map((weight) => weight / known);
}

/** Nodes and leaves of a tree. */
export function sizeOf(node: TreeNode): { readonly nodes: number; readonly leaves: number } {
  if (node.kind === 'leaf') return { nodes: 1, leaves: 1 };
  let [nodes, leaves] = [1, 0];
  for (const child of node.children) {
    const size = sizeOf(child);
    nodes += size.nodes;
    leaves += size.leaves;
  }
  return { nodes, leaves };
}
