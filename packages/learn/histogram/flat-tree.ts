import { learnLimits } from '../errors.ts';
import { arrayOf, fieldsOf, indexOf, notAModel, numberOf, numbersOf } from '../model-json.ts';
import type { ColumnShape, Table } from '../table.ts';

/**
 * A binary tree as lists, one entry a node, the root first. Plain JSON. A node without a left child is a leaf; the right child
 * stands behind the left one. Missing values go left where `missingLeft` is 1.
 */
export interface FlatTree {
  readonly column: readonly number[];
  /** Of numeric columns: values up to and with it go left. */
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly missingLeft: readonly number[];
  /** Of nodes on nominal columns: the codes that go left. */
  readonly names: Readonly<Record<string, readonly number[]>>;
  /** `outputs` numbers for each node; zeros where it is no leaf. */
  readonly values: readonly number[];
}

interface Compiled {
  readonly column: Int32Array;
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly missingLeft: Uint8Array;
  readonly values: Float64Array;
  readonly sets: ReadonlyMap<number, ReadonlySet<number>>;
}

/** Lists of JSON are made into typed arrays once, for as long as the tree is there. */
const compiled = new WeakMap<FlatTree, Compiled>();

function compile(tree: FlatTree): Compiled {
  const known = compiled.get(tree);
  if (known !== undefined) return known;
  const made = {
    column: Int32Array.from(tree.column),
    threshold: Float64Array.from(tree.threshold),
    left: Int32Array.from(tree.left),
    missingLeft: Uint8Array.from(tree.missingLeft),
    values: Float64Array.from(tree.values),
    sets: new Map(Object.entries(tree.names).map(([node, codes]) => [Number(node), new Set(codes)])),
  };
  compiled.set(tree, made);
  return made;
}

/** Adds `times` what the tree answers to `answers`, `outputs` numbers a row. O(depth) a row. */
export function addAnswers(tree: FlatTree, { rows, columns }: Table, answers: Float64Array, times: number): void {
  const { column, threshold, left, missingLeft, values, sets } = compile(tree);
  const outputs = values.length / left.length;
  for (let row = 0; row < rows; row += 1) {
    let node = 0;
    while (left[node] !== 0) {
      const cells = columns[column[node]!]!;
      let right = 1 - missingLeft[node]!;
      if (cells.kind === 'numeric') {
        const value = cells.values[row]!;
        if (value <= threshold[node]!) right = 0;
        else if (value > threshold[node]!) right = 1;
      } else if (cells.codes[row]! >= 0) right = sets.get(node)!.has(cells.codes[row]!) ? 0 : 1;
      node = left[node]! + right;
    }
    for (let o = 0; o < outputs; o += 1) answers[row * outputs + o]! += times * values[node * outputs + o]!;
  }
}

/** From JSON that was parsed: every path ends, and every list has its length. Rejects with SF-LEARN-MODEL. */
export function readFlatTree(value: unknown, shapes: readonly ColumnShape[], outputs: number): FlatTree {
  const fields = fieldsOf(value, 'a tree');
  const left = arrayOf(fields['left'], 'left', learnLimits.nodes).map((each) => numberOf(each, 'left'));
  const nodes = left.length;
  const listOf = (name: string, length: number) => {
    const list = numbersOf(fields[name], name, length);
    if (list.length !== length) throw notAModel(`${name} has ${list.length} entries for ${nodes} nodes`);
    return list;
  };
  const column = listOf('column', nodes);
  const names: Record<string, readonly number[]> = {};
  const given = fieldsOf(fields['names'], 'names');
  if (nodes === 0) throw notAModel('a tree has no node');
  left.forEach((child, node) => {
    if (child === 0) return;
    // Children stand behind their parents, so that no path comes back.
    if (!Number.isSafeInteger(child) || child <= node || child + 1 >= nodes) throw notAModel('a child is not there');
    const shape = shapes[indexOf(column[node], 'column', shapes.length)]!;
    if (shape.kind === 'nominal') {
      names[node] = arrayOf(given[node], 'names', shape.names.length).map((code) =>
        indexOf(code, 'names', shape.names.length),
      );
    }
  });
  return {
    column,
    threshold: listOf('threshold', nodes),
    left,
    missingLeft: listOf('missingLeft', nodes),
    names,
    values: listOf('values', nodes * outputs),
  };
}
