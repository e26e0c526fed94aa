import { learnLimits } from '../errors.ts';
import type { NominalColumn, Table } from '../table.ts';
import { labelBitsFor } from './cases.ts';
import { type Ranked, rankColumn } from './ranks.ts';
import { type Cut, type NodeCases, type Test, TestScorer, TIE } from './tests.ts';
import { majority, type TreeNode } from './tree.ts';

/** The cases of a node (`cases.ts`): for each numeric column in its order, those without a value last, and once in the order of the table. */
interface NodeRows {
  readonly count: number;
  /** As many segments of `count` rows as there are numeric columns, and one more. */
  segments: Int32Array;
  /** Of each numeric column: the rows that have a value. */
  readonly known: Int32Array;
}

const EMPTY = new Int32Array(0);

/**
 * Grows a C4.5 tree without pruning. O(rows x columns x depth), after a sort of each numeric column, and at most twice the
 * memory of the sorted rows, as long as no values are missing: a case without a value goes on in parts to every branch.
 */
export class Grower {
  readonly #table: Table;
  readonly #ranked: readonly Ranked[];
  /** Where in `#ranked` a column is; -1 for nominal ones. */
  readonly #rankedAt: readonly number[];
  readonly #scorer: TestScorer;
  readonly #labelBits: number;
  readonly #codes: Int32Array;
  readonly #classes: number;
  readonly #weightOf: Float64Array;
  readonly #branchOf: Int32Array;
  /** The same where there are two branches and no value is missing: it stays in a cache. */
  readonly #side: Uint8Array;
  readonly #minCases: number;
  #nodes = 0;

  constructor(table: Table, target: NominalColumn, minCases: number) {
    this.#table = table;
    this.#minCases = minCases;
    let numerics = 0;
    this.#rankedAt = table.columns.map(({ kind }) => (kind === 'numeric' ? numerics++ : -1));
    this.#ranked = table.columns.flatMap((column) => (column.kind === 'numeric' ? [rankColumn(column)] : []));
    this.#codes = target.codes;
    this.#classes = target.names.length;
    this.#weightOf = new Float64Array(table.rows).fill(1);
    this.#branchOf = new Int32Array(table.rows);
    this.#side = new Uint8Array(table.rows);
    this.#labelBits = labelBitsFor(table.rows, this.#classes);
    const cases = { labelBits: this.#labelBits, weightOf: this.#weightOf, classes: this.#classes };
    this.#scorer = new TestScorer(cases, minCases);
  }

  grow(): TreeNode {
    const { rows } = this.#table;
    const segments = new Int32Array((this.#ranked.length + 1) * rows);
    const bits = this.#labelBits;
    const cases = this.#codes.map((code, row) => (row << bits) | code);
    this.#ranked.forEach(({ order }, s) => {
      const from = s * rows;
      for (let i = 0; i < rows; i += 1) segments[from + i] = cases[order[i]!]!;
    });
    segments.set(cases, this.#ranked.length * rows);
    return this.#grow({ count: rows, segments, known: Int32Array.from(this.#ranked, ({ known }) => known) }, 0, 0);
  }

  #grow(node: NodeRows, depth: number, labelAbove: number): TreeNode {
    this.#nodes += 1;
    const counts = new Float64Array(this.#classes);
    const cases = this.#casesOf(node);
    const [bits, mask] = [this.#labelBits, (1 << this.#labelBits) - 1];
    let total = 0;
    let whole = true;
    for (let i = 0; i < cases.length; i += 1) {
      const weight = this.#weightOf[cases[i]! >>> bits]!;
      counts[cases[i]! & mask]! += weight;
      total += weight;
      if (weight !== 1) whole = false;
    }
    const label = majority(counts, labelAbove);
    const reached = { counts: [...counts], label };
    const leaf = { kind: 'leaf', ...reached } as const;
    if (total < 2 * this.#minCases - TIE || counts[label]! >= total - TIE) return leaf;
    if (depth >= learnLimits.depth || this.#nodes >= learnLimits.nodes) return leaf;
    const test = this.#choose(node, { counts, total, whole });
    if (test === undefined) return leaf;
    const children = this.#descend(node, test, depth, label);
    const { column, cut } = test;
    if (cut === undefined) return { kind: 'nominal', ...reached, column, children };
    return { kind: 'numeric', ...reached, column, threshold: this.#threshold({ ...test, cut }), children };
  }

  #casesOf({ count, segments }: NodeRows): Int32Array {
    return segments.subarray(this.#ranked.length * count, (this.#ranked.length + 1) * count);
  }

  /** The largest gain ratio among the tests whose gain is at least the mean of those that gain anything. */
  #choose(node: NodeRows, cases: NodeCases): Test | undefined {
    const tests: Test[] = [];
    let [gains, counted] = [0, 0];
    this.#table.columns.forEach((column, at) => {
      const s = this.#rankedAt[at]!;
      const order = () => node.segments.subarray(s * node.count, s * node.count + node.known[s]!);
      const test =
        column.kind === 'numeric'
          ? this.#scorer.numeric(at, this.#ranked[s]!, order(), cases)
          : this.#scorer.nominal(at, column, this.#casesOf(node), cases.total);
      if (test === undefined || test.gain <= TIE) return;
      tests.push(test);
      // Names that nearly every case has for itself would lift the mean above everything else.
      if (column.kind === 'nominal' && column.names.length >= 0.3 * this.#table.rows) return;
      gains += test.gain;
      counted += 1;
    });
    const least = counted === 0 ? 0 : gains / counted - 1e-3;
    let best: Test | undefined;
    for (const test of tests) {
      if (test.gain < least || test.splitInfo <= TIE) continue;
      if (best === undefined || test.gain / test.splitInfo > best.gain / best.splitInfo + TIE) best = test;
    }
    return best;
  }

  /**
   * The largest value of all training rows that is not above the middle of the gap, so that it is one that occurs: the gap
   * is one between the cases of this node, and others may have values in it.
   */
  #threshold({ column, cut }: Test & { readonly cut: Cut }): number {
    const { distinct } = this.#ranked[this.#rankedAt[column]!]!;
    const [below, above] = [distinct[cut.below]!, distinct[cut.above]!];
    const middle = below + (above - below) / 2;
    let [low, high] = [cut.below, cut.above];
    while (high - low > 1) {
      const at = (low + high) >> 1;
      if (distinct[at]! <= middle) low = at;
      else high = at;
    }
    return distinct[low]!;
  }

  /** Splits the rows, gives up those of the node itself, and grows one child after the other. */
  #descend(node: NodeRows, test: Test, depth: number, label: number): readonly TreeNode[] {
    const branches = this.#mark(node, test);
    const weights = new Float64Array(branches);
    const unknown =
      test.cut === undefined || this.#ranked[this.#rankedAt[test.column]!]!.known < this.#table.rows
        ? this.#unknown(node)
        : EMPTY;
    for (const each of this.#casesOf(node)) {
      const row = each >>> this.#labelBits;
      const branch = this.#branchOf[row]!;
      if (branch >= 0) weights[branch]! += this.#weightOf[row]!;
    }
    const known = weights.reduce((a, b) => a + b, 0);
    const whole = Float64Array.from(unknown, (row) => this.#weightOf[row]!);
    const split =
      test.cut !== undefined && unknown.length === 0
        ? this.#halve(node)
        : this.#partition(
            node,
            Float64Array.from(weights, (weight) => weight / known),
          );
    node.segments = EMPTY;
    const children = split.map((child, branch) => {
      unknown.forEach((row, i) => {
        this.#weightOf[row] = (whole[i]! * weights[branch]!) / known;
      });
      return this.#grow(child, depth + 1, label);
    });
    unknown.forEach((row, i) => {
      this.#weightOf[row] = whole[i]!;
    });
    return children;
  }

  /** Rows of which the last mark does not know where they go. */
  #unknown(node: NodeRows): Int32Array {
    return this.#casesOf(node)
      .map((each) => each >>> this.#labelBits)
      .filter((row) => this.#branchOf[row]! < 0);
  }

  /** Writes down to which branch each row of the node goes, -1 where the value is missing, and says how many branches. */
  #mark(node: NodeRows, { column: at, cut }: Test): number {
    const column = this.#table.columns[at]!;
    const [cases, bits] = [this.#casesOf(node), this.#labelBits];
    if (column.kind === 'nominal') {
      for (const each of cases) this.#branchOf[each >>> bits] = column.codes[each >>> bits]!;
      return column.names.length;
    }
    const { ranks } = this.#ranked[this.#rankedAt[at]!]!;
    const below = cut!.below;
    for (const each of cases) {
      const row = each >>> bits;
      const to = ranks[row]! <= below ? 0 : 1;
      this.#branchOf[row] = Number.isNaN(column.values[row]!) ? -1 : to;
      this.#side[row] = to;
    }
    return 2;
  }

  /**
   * Two children, and nothing is missing. Each row is written to both, and one of the two moves on: which one cannot be
   * predicted, so that a branch would cost more than all the rest.
   */
  #halve({ count, segments, known }: NodeRows): readonly NodeRows[] {
    const [side, bits] = [this.#side, this.#labelBits];
    let right = 0;
    for (let i = 0; i < count; i += 1) right += side[segments[i]! >>> bits]!;
    const left = count - right;
    const columns = this.#ranked.length;
    // One place more than there are rows, for what is written last and does not stay.
    const below = { count: left, segments: new Int32Array((columns + 1) * left + 1), known: new Int32Array(columns) };
    const above = { count: right, segments: new Int32Array((columns + 1) * right + 1), known: new Int32Array(columns) };
    const [belowRows, aboveRows] = [below.segments, above.segments];
    for (let s = 0; s <= columns; s += 1) {
      let [a, b] = [s * left, s * right];
      const from = s * count;
      const middle = from + (s < columns ? known[s]! : count);
      for (let part = 0; part < 2; part += 1) {
        const end = part === 0 ? middle : from + count;
        for (let i = part === 0 ? from : middle; i < end; i += 1) {
          const each = segments[i]!;
          belowRows[a] = each;
          aboveRows[b] = each;
          const to = side[each >>> bits]!;
          a += 1 - to;
          b += to;
        }
        if (part === 0 && s < columns) {
          below.known[s] = a - s * left;
          above.known[s] = b - s * right;
        }
      }
    }
    return [below, above];
  }

  /** Every segment keeps its order in every child. `part` is what a row without a value counts for in each of them. */
  #partition(node: NodeRows, part: Float64Array): readonly NodeRows[] {
    const branches = part.length;
    const [branchOf, weightOf] = [this.#branchOf, this.#weightOf];
    const goes = (row: number, branch: number) => weightOf[row]! * part[branch]! >= learnLimits.leastPart;
    const counts = new Int32Array(branches);
    const bits = this.#labelBits;
    for (const each of this.#casesOf(node)) {
      const row = each >>> bits;
      const to = branchOf[row]!;
      if (to >= 0) counts[to]! += 1;
      else for (let b = 0; b < branches; b += 1) if (goes(row, b)) counts[b]! += 1;
    }
    const segments = this.#ranked.length + 1;
    const children = Array.from(counts, (count) => ({
      count,
      segments: new Int32Array(segments * count),
      known: new Int32Array(this.#ranked.length),
    }));
    const next = new Int32Array(branches);
    for (let s = 0; s < segments; s += 1) {
      for (let b = 0; b < branches; b += 1) next[b] = s * counts[b]!;
      const from = s * node.count;
      const known = s < this.#ranked.length ? node.known[s]! : node.count;
      for (let i = 0; i < node.count; i += 1) {
        if (i === known) this.#noteKnown(children, next, s);
        const each = node.segments[from + i]!;
        const row = each >>> bits;
        const to = branchOf[row]!;
        if (to >= 0) {
          const at = next[to]!;
          children[to]!.segments[at] = each;
          next[to] = at + 1;
          continue;
        }
        for (let b = 0; b < branches; b += 1) {
          if (!goes(row, b)) continue;
          children[b]!.segments[next[b]!] = each;
          next[b]! += 1;
        }
      }
      if (known === node.count && s < this.#ranked.length) this.#noteKnown(children, next, s);
    }
    return children;
  }

  /** All that have a value come before those that have none. */
  #noteKnown(children: readonly NodeRows[], next: Int32Array, s: number): void {
    children.forEach((child, b) => {
      child.known[s] = next[b]! - s * child.count;
    });
  }
}
