import type { SourceRef } from '../../ir/source.ts';
import { type FileReading, LineLedger } from '../../read/ledger.ts';
import type { InputFile } from '../../read/reader.ts';

/** The account of a file with many attributes on one line: a line is without effect when all that is on it is. */
export class Account {
  readonly file: string;
  readonly #ledger: LineLedger;
  readonly #lines: readonly string[];
  readonly #used = new Set<number>();
  readonly #without: (readonly [line: number, why: string])[] = [];

  constructor({ path, text }: InputFile) {
    this.file = path;
    this.#lines = text.split('\n');
    this.#ledger = new LineLedger(path, 'Neutron API', this.#lines.length);
  }

  used(line: number): void {
    this.#used.add(line);
    this.#ledger.used(line);
  }

  withoutEffect(line: number, why: string): void {
    this.#without.push([line, why]);
  }

  notUnderstood(line: number, why: string): void {
    this.#ledger.notUnderstood(line, why);
  }

  at(line: number, text: string): SourceRef {
    return this.#ledger.at(line, text);
  }

  reading(): FileReading {
    for (const [line, why] of this.#without) if (!this.#used.has(line)) this.#ledger.withoutEffect(line, why);
    // Lines that hold nothing but brackets are part of what they enclose.
    for (const [i, line] of this.#lines.entries()) {
      if (line.trim() !== '' && !/[^\s{}[\],]/.test(line)) this.#ledger.used(i + 1);
    }
    return this.#ledger.reading();
  }
}
