import type { SourceRef } from '../ir/source.ts';

/** What became of a line of input. A line that nobody marked is `blank`: empty, or a comment. */
export type LineFate = 'blank' | 'used' | 'without effect' | 'not understood';

const fates: readonly LineFate[] = ['blank', 'used', 'without effect', 'not understood'];

/** Remarks kept for one file; the counts are exact whatever their number. */
const REMARKS_MAX = 1_000;

export interface LineRemark {
  readonly line: number;
  readonly fate: LineFate;
  readonly why: string;
}

/** The account of one file: one fate for every line, so that nothing is passed over in silence. */
export interface FileReading {
  readonly file: string;
  /** `iptables-save`, `ovs-ofctl dump-flows`, ... */
  readonly format: string;
  readonly lines: Readonly<Record<LineFate, number>>;
  readonly remarks: readonly LineRemark[];
}

/** Keeps that account while a reader works. The gravest fate of a line stays. */
export class LineLedger {
  readonly file: string;
  readonly format: string;
  readonly #fates: Uint8Array;
  readonly #remarks: LineRemark[] = [];

  constructor(file: string, format: string, lines: number) {
    this.file = file;
    this.format = format;
    this.#fates = new Uint8Array(lines + 1);
  }

  used(line: number): void {
    this.#mark(line, 'used');
  }

  withoutEffect(line: number, why: string): void {
    this.#mark(line, 'without effect', why);
  }

  notUnderstood(line: number, why: string): void {
    this.#mark(line, 'not understood', why);
  }

  reading(): FileReading {
    const counts = new Uint32Array(fates.length);
    for (let line = 1; line < this.#fates.length; line += 1) counts[this.#fates[line]!]! += 1;
    const lines = Object.fromEntries(fates.map((fate, i) => [fate, counts[i]!])) as Record<LineFate, number>;
    return { file: this.file, format: this.format, lines, remarks: this.#remarks };
  }

  at(line: number, text?: string): SourceRef {
    return text === undefined ? { file: this.file, line } : { file: this.file, line, text: text.slice(0, 200) };
  }

  #mark(line: number, fate: LineFate, why?: string): void {
    const rank = fates.indexOf(fate);
    if (rank > this.#fates[line]!) this.#fates[line] = rank;
    if (why !== undefined && this.#remarks.length < REMARKS_MAX) this.#remarks.push({ line, fate, why });
  }
}
