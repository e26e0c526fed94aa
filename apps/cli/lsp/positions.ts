/** Line and character, both from 0; characters are code units of UTF-16, which every client can count. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

export interface PlaceRange {
  readonly start: Place;
  readonly end: Place;
}

/** Offsets of a text as lines and characters, and back. Lines end as LSP says: with \n, \r\n or \r. */
export class Places {
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#text = text;
    const starts = [0];
    for (const { index, 0: end } of text.matchAll(/\r\n|\n|\r/g)) starts.push(index + end.length);
    this.#starts = starts;
  }

  /** What lies behind the end of a line is its end, as LSP says; what lies behind the last line is the end of the text. */
  offset({ line, character }: Place): number {
    const start = this.#starts[line];
    if (start === undefined) return this.#text.length;
    const next = this.#starts[line + 1] ?? this.#text.length + 1;
    const end = next > this.#text.length ? this.#text.length : start + this.#text.slice(start, next).search(/[\r\n]/);
    return Math.min(start + character, end);
  }

  place(offset: number): Place {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low, character: offset - this.#starts[low]! };
  }

  range({ from, to }: { readonly from: number; readonly to: number }): PlaceRange {
    return { start: this.place(from), end: this.place(to) };
  }
}
