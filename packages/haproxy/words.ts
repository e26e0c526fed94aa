import { invariant } from '@superfluidity/core';

export interface RenderedFile {
  readonly content: string;
  readonly mode: 0o600 | 0o700;
}

/** Puts a file beside the configuration; the word by which this names it. */
export type Keep = (content: string, suffix: string, mode?: RenderedFile['mode']) => string;

/** One word of a configuration, whatever is in it (configuration manual, section 2.2): nothing in single quotes is special. */
export function quoted(text: string): string {
  invariant(!/\p{Cc}/u.test(text), 'a word of a configuration has no control characters');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
