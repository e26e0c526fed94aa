/** The blocks into which a chain of some length can be cut, as masks: bit i is function i. */
export interface Blocks {
  readonly length: number;
  readonly masks: Int32Array;
  /** Blocks with runs of the same lengths cost the same on a host: number of its signature, for each block. */
  readonly signatureOf: Int32Array;
  /** Lengths of runs, for each signature. */
  readonly signatures: readonly (readonly number[])[];
}

const known = new Map<string, Blocks>();

/** All sets of functions, or those that follow each other: a chain that visits a host once leaves one sub-chain there. */
export function blocksOf(length: number, contiguous: boolean): Blocks {
  const key = `${length} ${contiguous}`;
  let blocks = known.get(key);
  if (blocks === undefined) known.set(key, (blocks = makeBlocks(length, contiguous)));
  return blocks;
}

function makeBlocks(length: number, contiguous: boolean): Blocks {
  const masks: number[] = [];
  const signatureOf: number[] = [];
  const signatures: (readonly number[])[] = [];
  const numbers = new Map<string, number>();
  for (let mask = 1; mask < 1 << length; mask += 1) {
    const runs = runsOfMask(mask);
    if (contiguous && runs.length > 1) continue;
    const sorted = runs.toSorted((a, b) => a - b);
    const key = sorted.join(' ');
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = signatures.push(sorted) - 1));
    masks.push(mask);
    signatureOf.push(number);
  }
  return { length, masks: Int32Array.from(masks), signatureOf: Int32Array.from(signatureOf), signatures };
}

function runsOfMask(mask: number): readonly number[] {
  const runs: number[] = [];
  for (let rest = mask; rest !== 0; ) {
    rest >>>= Math.clz32(rest & -rest) ^ 31;
    let run = 0;
    while (rest & 1) {
      run += 1;
      rest >>>= 1;
    }
    runs.push(run);
  }
  return runs;
}

export function functionsOf(mask: number): readonly number[] {
  const functions: number[] = [];
  for (let i = 0; mask >> i !== 0; i += 1) if ((mask >> i) & 1) functions.push(i);
  return functions;
}

export function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/**
 * All partitions of a set of `length` into blocks, Bell(length) of them: restricted growth strings, as in Knuth's "The Art of
 * Computer Programming", 7.2.1.5. The masks are good until the next call.
 */
export function forEachSetPartition(length: number, visit: (masks: Int32Array, count: number) => void): void {
  const masks = new Int32Array(length);
  const fill = (at: number, used: number): void => {
    if (at === length) {
      visit(masks, used);
      return;
    }
    for (let block = 0; block <= used; block += 1) {
      masks[block]! |= 1 << at;
      fill(at + 1, block === used ? used + 1 : used);
      masks[block]! &= ~(1 << at);
    }
  };
  fill(0, 0);
}

/** All ways to cut a chain of `length` into pieces: 2^(length - 1) of them. */
export function forEachSegmentation(length: number, visit: (masks: Int32Array, count: number) => void): void {
  const masks = new Int32Array(length);
  for (let cuts = 0; cuts < 1 << (length - 1); cuts += 1) {
    masks.fill(0);
    let count = 0;
    for (let i = 0; i < length; i += 1) {
      masks[count]! |= 1 << i;
      if ((cuts >> i) & 1) count += 1;
    }
    visit(masks, count + 1);
  }
}
