import type { Lz78Model } from './model.ts';

/**
 * A tree in which a step is one load (Aoe 1989): the child of the node in cell `c` by symbol `s` is in cell `base(c) + s`,
 * if that one says that it belongs to `c`. Two numbers a cell beside each other: to which cell it belongs, and its base.
 */
export interface DoubleArray {
  readonly cells: Int32Array;
  /** The cell of each node. */
  readonly cellOf: Int32Array;
}

/** Free places that are tried for a node before it gets one at the end. */
const TRIES = 32;
const NOBODY = -1;

/** O(nodes x tries) time; the cells are some half more than the nodes. */
export function doubleArray({ alphabet, parents, symbols }: Lz78Model): DoubleArray {
  const nodes = parents.length + 1;
  const starts = new Int32Array(nodes + 1);
  for (const parent of parents) starts[parent + 1]! += 1;
  for (let node = 0; node < nodes; node += 1) starts[node + 1]! += starts[node]!;
  const children = new Int32Array(parents.length);
  const next = starts.slice();
  parents.forEach((parent, i) => {
    children[next[parent]!] = i + 1;
    next[parent]! += 1;
  });

  let cells = new Int32Array(2 * (2 * nodes + 2 * alphabet)).fill(NOBODY);
  const cellOf = new Int32Array(nodes);
  let [end, firstFree] = [1, 1];
  cells[0] = 0;
  const room = (cell: number) => {
    if (2 * cell + 2 * alphabet + 2 <= cells.length) return;
    const larger = new Int32Array(Math.max(2 * cells.length, 4 * (cell + alphabet))).fill(NOBODY);
    larger.set(cells);
    cells = larger;
  };
  // Breadth first: the nodes near the root, to which every phrase comes, are beside each other.
  const queue = new Int32Array(nodes);
  let tail = 1;
  for (let head = 0; head < tail; head += 1) {
    const node = queue[head]!;
    const [from, to] = [starts[node]!, starts[node + 1]!];
    const cell = cellOf[node]!;
    if (from === to) {
      // Whatever is in the cells from 0 on belongs to others.
      cells[2 * cell + 1] = 0;
      continue;
    }
    while (cells[2 * firstFree] !== NOBODY) firstFree += 1;
    const first = symbols[children[from]! - 1]!;
    let base = end;
    for (let tried = 0, at = firstFree; tried < TRIES && at < end; at += 1) {
      if (cells[2 * at] !== NOBODY || at < first) continue;
      tried += 1;
      if (fits(at - first)) {
        base = at - first;
        break;
      }
    }
    room(base + alphabet);
    for (let c = from; c < to; c += 1) {
      const child = children[c]!;
      const own = base + symbols[child - 1]!;
      cells[2 * own] = cell;
      cellOf[child] = own;
      end = Math.max(end, own + 1);
      queue[tail++] = child;
    }
    cells[2 * cell + 1] = base;

    function fits(candidate: number): boolean {
      for (let c = from; c < to; c += 1) {
        const own = 2 * (candidate + symbols[children[c]! - 1]!);
        if (own < cells.length && cells[own] !== NOBODY) return false;
      }
      return true;
    }
  }
  room(end + alphabet);
  // The root belongs to nobody: no path comes back to it.
  cells[0] = NOBODY;
  return { cells, cellOf };
}
