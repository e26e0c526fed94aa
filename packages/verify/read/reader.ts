import type { FileReading } from './ledger.ts';

/** A file of the folder or archive that is to be verified. The path is relative to it, with '/'. */
export interface InputFile {
  readonly path: string;
  readonly text: string;
}

/** What a reader of one format gives: the parsed value and the account of the lines. */
export interface Reading<T> {
  readonly value: T;
  readonly reading: FileReading;
}
