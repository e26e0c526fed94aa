import type { NominalColumn, Table } from '../../table.ts';
import type { TreeNode } from '../tree.ts';

interface Case {
  readonly row: number;
  readonly weight: number;
}

const bits = (weights: readonly number[]): number => {
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.reduce((sum, w) => (w > 1e-12 ? sum - (w / total) * Math.log2(w / total) : sum), 0);
};

/**
 * C4.5 word by word, without pruning: every node looks at its cases anew, every cut is tried by dividing them. The same
 * definitions as the learner, none of its code.
 */
export function naiveTree(table: Table, target: NominalColumn, minCases: number): TreeNode {
  const classes = target.names.length;
  const weigh = (cases: readonly Case[]) => cases.reduce((sum, { weight }) => sum + weight, 0);
  const countsOf = (cases: readonly Case[]) =>
    target.names.map((_, label) => weigh(cases.filter(({ row }) => target.codes[row] === label)));

  function grow(cases: readonly Case[], labelAbove: number): TreeNode {
    const counts = countsOf(cases);
    const total = weigh(cases);
    let label = labelAbove;
    counts.forEach((count, each) => {
      if (count > counts[label]! + 1e-9) label = each;
    });
    const leaf = { kind: 'leaf', counts, label } as const;
    if (total < 2 * minCases - 1e-9 || counts[label]! >= total - 1e-9) return leaf;
    const tests = table.columns.flatMap((_, column) => bestTest(cases, column) ?? []).filter(({ gain }) => gain > 1e-9);
    const counted = tests.filter(({ column }) => {
      const own = table.columns[column]!;
      return own.kind === 'numeric' || own.names.length < 0.3 * table.rows;
    });
    const mean = counted.length === 0 ? 0 : counted.reduce((sum, { gain }) => sum + gain, 0) / counted.length - 1e-3;
    const allowed = tests.filter(({ gain, splitInfo }) => gain >= mean && splitInfo > 1e-9);
    const [first] = allowed;
    if (first === undefined) return leaf;
    const best = allowed.reduce((a, b) => (b.gain / b.splitInfo > a.gain / a.splitInfo + 1e-9 ? b : a), first);
    const unknown = cases.filter(({ row }) => best.branchOf(row) < 0);
    const known = total - weigh(unknown);
    const children = Array.from({ length: best.branches }, (_, branch) => {
      const own = cases.filter(({ row }) => best.branchOf(row) === branch);
      const part = weigh(own) / known;
      return grow(
        [...own, ...unknown.map(({ row, weight }) => ({ row, weight: weight * part }))].filter(
          ({ weight, row }) => best.branchOf(row) >= 0 || weight >= 1 / 1024,
        ),
        label,
      );
    });
    const { column } = best;
    if (best.threshold === undefined) return { kind: 'nominal', counts, label, column, children };
    return { kind: 'numeric', counts, label, column, threshold: best.threshold, children };
  }

  function bestTest(cases: readonly Case[], at: number) {
    const column = table.columns[at]!;
    const known = cases.filter(({ row }) =>
      column.kind === 'nominal' ? column.codes[row]! >= 0 : !Number.isNaN(column.values[row]!),
    );
    const [total, knownWeight] = [weigh(cases), weigh(known)];
    const score = (branchOf: (row: number) => number, branches: number) => {
      const groups = Array.from({ length: branches }, (_, b) => known.filter(({ row }) => branchOf(row) === b));
      const weights = groups.map(weigh);
      const after = groups.reduce((sum, group, b) => sum + (weights[b]! / knownWeight) * bits(countsOf(group)), 0);
      const gain = (knownWeight / total) * (bits(countsOf(known)) - after);
      return { column: at, branchOf, branches, weights, gain, splitInfo: bits([...weights, total - knownWeight]) };
    };
    if (column.kind === 'nominal') {
      const test = score((row) => column.codes[row]!, column.names.length);
      return test.weights.filter((weight) => weight >= minCases - 1e-9).length < 2
        ? undefined
        : { ...test, threshold: undefined };
    }
    const values = [...new Set(known.map(({ row }) => column.values[row]! + 0))].toSorted((a, b) => a - b);
    const least = Math.max(minCases, Math.min(25, (0.1 * knownWeight) / classes)) - 1e-9;
    let best: (ReturnType<typeof score> & { threshold: number }) | undefined;
    for (let i = 0; i + 1 < values.length; i += 1) {
      const middle = (values[i]! + values[i + 1]!) / 2;
      const threshold = Math.max(...column.values.filter((value) => value <= middle));
      const branchOf = (row: number) => {
        const value = column.values[row]!;
        return Number.isNaN(value) ? -1 : value <= threshold ? 0 : 1;
      };
      const test = score(branchOf, 2);
      if (test.weights.some((weight) => weight < least)) continue;
      if (best === undefined || test.gain > best.gain + 1e-9) best = { ...test, threshold };
    }
    return best === undefined ? undefined : { ...best, gain: best.gain - Math.log2(values.length - 1) / total };
  }

  return grow(
    Array.from({ length: table.rows }, (_, row) => ({ row, weight: 1 })),
    0,
  );
}
