import { type Binned, MISSING } from './bins.ts';
import type { FlatTree } from './flat-tree.ts';
import { type Aim, fillHistogram, type Histogram, histogramLength, subtractHistogram } from './histogram.ts';
import { type HistogramSplit, SplitFinder } from './split.ts';

export interface GrowOptions {
  readonly leaves: number;
  readonly depth: number;
  readonly minRows: number;
  readonly l2: number;
  /** `best`: the leaf whose split gains most is next, until there are as many leaves; `depth`: the latest one. */
  readonly order: 'best' | 'depth';
  /** Features that each node looks at; all where it is undefined. */
  readonly choose?: () => Int32Array;
}

/** A leaf of the tree that grows: rows `start` up to `end` of the list. */
export interface OpenLeaf {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  readonly totals: Float64Array;
}

interface Candidate extends OpenLeaf {
  readonly split: HistogramSplit;
  readonly histogram: Histogram;
}

/**
 * Grows trees over one binned table. Keeps its buffers between trees: a list of rows twice, and a histogram for each leaf that
 * waits. O(rows x features x log leaves) where trees are balanced: of two children only the smaller is counted.
 */
export class HistogramGrower {
  readonly #binned: Binned;
  readonly #options: GrowOptions;
  readonly #all: Int32Array;
  readonly #free: Histogram[] = [];
  readonly #spare: Int32Array;
  /** The rows, those of a leaf beside each other. */
  #rows: Int32Array = new Int32Array(0);

  constructor(binned: Binned, options: GrowOptions) {
    this.#binned = binned;
    this.#options = options;
    this.#all = Int32Array.from({ length: binned.features }, (_, f) => f);
    this.#spare = new Int32Array(binned.rows);
  }

  rowsOf({ start, end }: OpenLeaf): Int32Array {
    return this.#rows.subarray(start, end);
  }

  /** `rows` is put in another order. `answer` gives the numbers that a leaf answers with. */
  grow(aim: Aim, rows: Int32Array, answer: (leaf: OpenLeaf) => ArrayLike<number>): FlatTree {
    this.#rows = rows;
    const tree = { column: [0], threshold: [0], left: [0], missingLeft: [0], names: {} as Record<string, number[]> };
    const finished: OpenLeaf[] = [];
    const waiting: Candidate[] = [];
    const { leaves, minRows, l2, order } = this.#options;
    const finder = new SplitFinder({ outputs: aim.outputs, minRows, l2, minGain: 1e-12 });
    const consider = (leaf: OpenLeaf, histogram: Histogram | undefined) => {
      const found = this.#consider(leaf, aim, finder, histogram);
      if (found === undefined) finished.push(leaf);
      else waiting.push(found);
    };
    consider({ node: 0, start: 0, end: rows.length, depth: 0, totals: this.#total(aim, rows) }, undefined);
    while (waiting.length > 0 && waiting.length + finished.length < leaves) {
      const [next] = waiting.splice(order === 'best' ? bestOf(waiting) : waiting.length - 1, 1);
      const { node, split } = next!;
      const children = tree.left.length;
      tree.left[node] = children;
      for (const list of [tree.column, tree.threshold, tree.left, tree.missingLeft]) list.push(0, 0);
      this.#describe(tree, node, split);
      const [left, right] = this.#divide(next!, aim, children);
      const [small, large] = left.end - left.start <= right.end - right.start ? [left, right] : [right, left];
      const inherited = this.#inherit(next!, small, aim);
      consider(small, inherited?.small);
      consider(large, inherited?.large);
    }
    for (const { histogram, ...leaf } of waiting) {
      this.#free.push(histogram);
      finished.push(leaf);
    }
    const values = new Float64Array(tree.left.length * aim.outputs);
    for (const leaf of finished) values.set(answer(leaf), leaf.node * aim.outputs);
    return { ...tree, values: [...values] };
  }

  #consider(leaf: OpenLeaf, aim: Aim, finder: SplitFinder, given: Histogram | undefined): Candidate | undefined {
    const { minRows, depth, choose } = this.#options;
    const weight = leaf.totals[aim.outputs]!;
    const histogram = given ?? this.#take(aim);
    let best: HistogramSplit | undefined;
    if (weight >= 2 * minRows && leaf.depth < depth && !isPure(leaf.totals, aim)) {
      const features = choose?.() ?? this.#all;
      if (given === undefined) fillHistogram(histogram, this.#binned, aim, this.rowsOf(leaf), features);
      for (const feature of features) {
        const found = finder.find(feature, this.#binned.bins[feature]!, histogram, leaf.totals);
        if (found !== undefined && found.gain > (best?.gain ?? 0)) best = found;
      }
    }
    if (best !== undefined) return { ...leaf, split: best, histogram };
    this.#free.push(histogram);
    return undefined;
  }

  /** Where every node looks at the same features, what was counted for it serves its children. */
  #inherit({ histogram }: Candidate, small: OpenLeaf, aim: Aim) {
    if (this.#options.choose !== undefined) {
      this.#free.push(histogram);
      return undefined;
    }
    const counted = this.#take(aim);
    fillHistogram(counted, this.#binned, aim, this.rowsOf(small), this.#all);
    subtractHistogram(histogram, counted);
    return { small: counted, large: histogram };
  }

  #take(aim: Aim): Histogram {
    return this.#free.pop() ?? new Float64Array(histogramLength(this.#binned.features, aim));
  }

  /** Those that go left first, both in the order in which they were. */
  #divide({ start, end, depth, split, totals }: Candidate, aim: Aim, children: number): readonly [OpenLeaf, OpenLeaf] {
    const { feature, goesLeft } = split;
    const bins = this.#binned.byColumn[feature]!;
    const [rows, spare] = [this.#rows, this.#spare];
    let [left, right] = [start, 0];
    for (let i = start; i < end; i += 1) {
      const row = rows[i]!;
      if (goesLeft[bins[row]!] === 1) rows[left++] = row;
      else spare[right++] = row;
    }
    rows.set(spare.subarray(0, right), left);
    const leftTotals = this.#total(aim, rows.subarray(start, left));
    return [
      { node: children, start, end: left, depth: depth + 1, totals: leftTotals },
      {
        node: children + 1,
        start: left,
        end,
        depth: depth + 1,
        totals: totals.map((total, o) => total - leftTotals[o]!),
      },
    ];
  }

  #describe(
    tree: { column: number[]; threshold: number[]; missingLeft: number[]; names: Record<string, number[]> },
    node: number,
    split: HistogramSplit,
  ): void {
    const bins = this.#binned.bins[split.feature]!;
    tree.column[node] = split.feature;
    tree.missingLeft[node] = split.goesLeft[MISSING]!;
    if (bins.kind === 'nominal') {
      tree.names[node] = [...split.goesLeft.keys()].flatMap((bin) =>
        bin > 0 && split.goesLeft[bin] === 1 ? [bin - 1] : [],
      );
    } else {
      // All that have a value go left, and those without right: any bound above all of them says it.
      tree.threshold[node] = bins.cuts[split.lastBin - 1] ?? Number.MAX_VALUE;
    }
  }

  #total({ outputs, sums, classes, weights }: Aim, rows: Int32Array): Float64Array {
    const totals = new Float64Array(outputs + 1);
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (classes === undefined) totals[0]! += sums![row]!;
      else totals[classes[row]!]! += weight;
      totals[outputs]! += weight;
    }
    return totals;
  }
}

const isPure = (totals: Float64Array, { classes, outputs }: Aim) =>
  classes !== undefined && totals.subarray(0, outputs).includes(totals[outputs]!);

/** The first of those that gain most. */
function bestOf(waiting: readonly Candidate[]): number {
  let best = 0;
  for (let i = 1; i < waiting.length; i += 1) {
    const [a, b] = [waiting[i]!, waiting[best]!];
    if (a.split.gain > b.split.gain || (a.split.gain === b.split.gain && a.node < b.node)) best = i;
  }
  return best;
}
