import { alignTable, type Table } from '../table.ts';
import { branchOf, type C45Tree, majority, parts, sum, type TreeNode } from './tree.ts';

/**
 * What a tree says of each row: `rows x classes` shares that add up to 1. A row without a value goes down every branch in
 * parts. Rejects with SF-LEARN-COLUMNS. O(depth) a row where nothing is missing.
 */
export function classShares(tree: C45Tree, given: Table): Float64Array {
  const table = alignTable(given, tree.columns);
  const classes = tree.classes.length;
  const shares = new Float64Array(table.rows * classes);
  const descend = (node: TreeNode, row: number, weight: number): void => {
    if (node.kind !== 'leaf') {
      const branch = branchOf(node, table, row);
      if (branch >= 0) return descend(node.children[branch]!, row, weight);
      const part = parts(node);
      node.children.forEach((child, i) => part[i]! > 0 && descend(child, row, weight * part[i]!));
      return;
    }
    const cases = sum(node.counts);
    const at = row * classes;
    // No training case came to this leaf: it answers for the node above.
    if (cases === 0) shares[at + node.label] = shares[at + node.label]! + weight;
    else {
      node.counts.forEach((count, label) => {
        shares[at + label] = shares[at + label]! + (weight * count) / cases;
      });
    }
  };
  for (let row = 0; row < table.rows; row += 1) descend(tree.root, row, 1);
  return shares;
}

/** The index in `classes` of the likeliest class of each row; of several, the first. */
export function classify(tree: C45Tree, table: Table): Int32Array {
  const shares = classShares(tree, table);
  const classes = tree.classes.length;
  return Int32Array.from({ length: table.rows }, (_, row) =>
    majority(shares.subarray(row * classes, (row + 1) * classes)),
  );
}
