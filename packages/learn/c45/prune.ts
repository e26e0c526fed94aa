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
 * (which then gets them all), where that is not expected to err more. O(rows x depth squared).
 */
export function prune(root: TreeNode, table: Table, target: NominalColumn, confidence: number): TreeNode {
  const classes = target.names.length;

  function pruned(node: TreeNode, share: Share): { readonly node: TreeNode; readonly errors: number } {
    if (node.kind === 'leaf') return { node, errors: leafErrors(node) };
    const shares = divide(node, share, table);
    const children = node.children.map((child, i) => pruned(child, shares[i]!));
    const split: Split = { ...node, children: children.map((child) => child.node) };
    const errors = children.reduce((total, child) => total + child.errors, 0);
    const asLeaf = leafErrors(node);
    const largest = split.children.reduce(
      (best, child, i) => (sum(child.counts) > sum(split.children[best]!.counts) + 1e-9 ? i : best),
      0,
    );
    const raised = refill(split.children[largest]!, share);
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
  const allErrors = (node: TreeNode): number =>
    node.kind === 'leaf' ? leafErrors(node) : node.children.reduce((total, child) => total + allErrors(child), 0);

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
  return pruned(root, { rows, weights: new Float64Array(table.rows).fill(1) }).node;
}

/** A row without a value goes to every child, in parts. */
export function divide(split: Split, { rows, weights }: Share, table: Table): readonly Share[] {
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
