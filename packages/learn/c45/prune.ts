import { learnLimits } from '../errors.ts';
import type { NominalColumn, Table } from '../table.ts';
import { expectedErrors } from './pessimistic.ts';
import { branchOf, type Leaf, majority, parts, type Split, sum, type TreeNode } from './tree.ts';

/** Rows that reach a node, and how much of each. */
interface Share {
  readonly rows: Int32Array;
  readonly weights: Float64Array;
}

/** How much more a smaller tree may be expected to err before it is not taken. */
const SLACK = 0.1;

/**
 * Pessimistic pruning: from the leaves up, a node becomes a leaf, or is replaced by the child that most of its cases go to
 * (which then gets them all), where that is not expected to err more. O(rows x depth squared), and less where nothing is
 * missing: cases that the child had before stay where they are, and only those of its smaller brothers have to be led.
 */
export function prune(root: TreeNode, table: Table, target: NominalColumn, confidence: number): TreeNode {
  const classes = target.names.length;
  const complete = table.columns.every((column) =>
    column.kind === 'nominal' ? !column.codes.includes(-1) : !column.values.includes(Number.NaN),
  );
  const errorsOf = new WeakMap<TreeNode, number>();

  function pruned(node: TreeNode, share: Share): { readonly node: TreeNode; readonly errors: number } {
    if (node.kind === 'leaf') return { node, errors: allErrors(node) };
    const shares = complete ? divideRows(node, share.rows, table).map(whole) : divide(node, share, table);
    const children = node.children.map((child, i) => pruned(child, shares[i]!));
    const split: Split = { ...node, children: children.map((child) => child.node) };
    const errors = children.reduce((total, child) => total + child.errors, 0);
    const asLeaf = leafErrors(node);
    const largest = split.children.reduce(
      (best, child, i) => (sum(child.counts) > sum(split.children[best]!.counts) + 1e-9 ? i : best),
      0,
    );
    const raised = complete
      ? graft(split.children[largest]!, concat(shares.filter((_, i) => i !== largest).map(({ rows }) => rows)))
      : refill(split.children[largest]!, share);
    const raisedErrors = allErrors(raised);
    if (asLeaf <= errors + SLACK && asLeaf <= raisedErrors + SLACK) {
      const { counts, label } = node;
      return { node: { kind: 'leaf', counts, label }, errors: asLeaf };
    }
    // What has got more cases may be worth pruning anew.
    if (raisedErrors <= errors + SLACK) return pruned(raised, share);
    return { node: split, errors };
  }

  const leafErrors = ({ counts, label }: Pick<Leaf, 'counts' | 'label'>) => {
    const cases = sum(counts);
    return expectedErrors(cases, cases - counts[label]!, confidence);
  };
  function allErrors(node: TreeNode): number {
    const known = errorsOf.get(node);
    if (known !== undefined) return known;
    const errors =
      node.kind === 'leaf' ? leafErrors(node) : node.children.reduce((total, child) => total + allErrors(child), 0);
    errorsOf.set(node, errors);
    return errors;
  }

  /** The same tests with more cases, each of them whole. */
  function graft(node: TreeNode, more: Int32Array): TreeNode {
    if (more.length === 0) return node;
    const counts = [...node.counts];
    for (const row of more) counts[target.codes[row]!]! += 1;
    const label = majority(counts, node.label);
    if (node.kind === 'leaf') return { ...node, counts, label };
    const shares = divideRows(node, more, table);
    return { ...node, counts, label, children: node.children.map((child, i) => graft(child, shares[i]!)) };
  }

  /** The same tests with other cases. Where none come the answer stays what it was. */
  function refill(node: TreeNode, share: Share): TreeNode {
    const counts = Array.from({ length: classes }, () => 0);
    share.rows.forEach((row, i) => {
      counts[target.codes[row]!] = counts[target.codes[row]!]! + share.weights[i]!;
    });
    const label = majority(counts, node.label);
    if (node.kind === 'leaf') return { ...node, counts, label };
    const shares = divide(node, share, table);
    return { ...node, counts, label, children: node.children.map((child, i) => refill(child, shares[i]!)) };
  }

  const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
  const ones = new Float64Array(table.rows).fill(1);
  const whole = (of: Int32Array): Share => ({ rows: of, weights: ones });
  return pruned(root, whole(rows)).node;
}

/** Where no row of the table lacks a value. */
function divideRows(split: Split, rows: Int32Array, table: Table): readonly Int32Array[] {
  const column = table.columns[split.column]!;
  if (split.kind === 'nominal' || column.kind === 'nominal') {
    const branch = rows.map((row) => branchOf(split, table, row));
    return split.children.map((_, b) => rows.filter((_row, i) => branch[i] === b));
  }
  const { values } = column;
  const { threshold } = split;
  const below = new Int32Array(rows.length);
  const above = new Int32Array(rows.length);
  let count = 0;
  // Each row is written to both, and one of them moves on: a branch could not be predicted.
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    below[count] = row;
    above[i - count] = row;
    count += values[row]! <= threshold ? 1 : 0;
  }
  return [below.slice(0, count), above.slice(0, rows.length - count)];
}

function concat(parts: readonly Int32Array[]): Int32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Int32Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A row without a value goes to every child, in parts. */
function divide(split: Split, { rows, weights }: Share, table: Table): readonly Share[] {
  const part = Float64Array.from(parts(split));
  const branches = part.length;
  const branch = new Int32Array(rows.length);
  const counts = new Int32Array(branches);
  for (let i = 0; i < rows.length; i += 1) {
    const to = branchOf(split, table, rows[i]!);
    branch[i] = to;
    if (to >= 0) counts[to]! += 1;
    else for (let b = 0; b < branches; b += 1) if (weights[i]! * part[b]! >= learnLimits.leastPart) counts[b]! += 1;
  }
  const shares = Array.from(counts, (count) => ({ rows: new Int32Array(count), weights: new Float64Array(count) }));
  counts.fill(0);
  const put = (b: number, row: number, weight: number) => {
    const at = counts[b]!;
    shares[b]!.rows[at] = row;
    shares[b]!.weights[at] = weight;
    counts[b] = at + 1;
  };
  for (let i = 0; i < rows.length; i += 1) {
    const to = branch[i]!;
    if (to >= 0) put(to, rows[i]!, weights[i]!);
    else {
      for (let b = 0; b < branches; b += 1) {
        const weight = weights[i]! * part[b]!;
        if (weight >= learnLimits.leastPart) put(b, rows[i]!, weight);
      }
    }
  }
  return shares;
}
