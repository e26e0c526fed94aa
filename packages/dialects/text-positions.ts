import type { Position } from '@superfluidity/core';

/** Lines and columns of the offsets of a text. Lines end with a newline. */
export class TextPositions {
  readonly #file: string;
  readonly #starts: readonly number[];

  constructor(text: string, file: string) {
    this.#file = file;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** Where a line begins, counted from 1; undefined past the last. */
  lineStart(line: number): number | undefined {
    return this.#starts[line - 1];
  }

  at(offset: number): Position {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { file: this.#file, line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}
