import { inputLimits } from '../limits.ts';
import { longLine } from './lines.ts';
import type { InputFile } from './reader.ts';

const NEWLINE = 10;
const BLANK = 32;
/** Of a line; where later ones are is not kept. */
const WORDS_MAX = 32;

/**
 * Goes from line to line and finds the words, without making a string of either: tables have a million lines. Lines and words
 * are those of `wordsOf`.
 */
export class LineScanner {
  /** From 1. */
  line = 0;
  /** All words of the line, also those that are too many to be kept. */
  words = 0;
  /** Where the words begin, and where they end. */
  readonly begins = new Int32Array(WORDS_MAX);
  readonly ends = new Int32Array(WORDS_MAX);
  readonly text: string;
  readonly #path: string;
  #begin = 0;
  #end = -1;

  constructor({ path, text }: InputFile) {
    this.text = text;
    this.#path = path;
  }

  /** To the next line; false when there is none. */
  next(): boolean {
    const { text, begins, ends } = this;
    const size = text.length;
    let at = this.#end + 1;
    if (at > size) return false;
    this.#begin = at;
    this.line += 1;
    let words = 0;
    let from = -1;
    for (; at < size; at += 1) {
      const code = text.charCodeAt(at);
      if (code > BLANK) {
        if (from < 0) from = at;
        continue;
      }
      if (from >= 0) {
        if (words < WORDS_MAX) {
          begins[words] = from;
          ends[words] = at;
        }
        words += 1;
        from = -1;
      }
      if (code === NEWLINE) break;
    }
    if (from >= 0) {
      if (words < WORDS_MAX) {
        begins[words] = from;
        ends[words] = at;
      }
      words += 1;
    }
    this.words = words;
    this.#end = at;
    if (at - this.#begin > inputLimits.lineLength) throw longLine(this.#path, this.line);
    return true;
  }

  /** The line as it is, for the forms that are seldom. */
  whole(): string {
    return this.text.slice(this.#begin, this.#end);
  }

  isWord(index: number, word: string): boolean {
    const begin = this.begins[index]!;
    return this.ends[index]! - begin === word.length && this.text.startsWith(word, begin);
  }
}

/** A whole number of at most so many digits; -1 when it is none. */
export function decimalAt(text: string, begin: number, end: number, digits: number): number {
  if (end <= begin || end - begin > digits) return -1;
  let value = 0;
  for (let i = begin; i < end; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** A table has a few thousand next hops with their interfaces. */
const RECENT = 8_192;

/** Numbers for names that come again and again, in the order in which they are first met. */
export class NameNumbers {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** The last one of each hash, and one more: its letters are compared where they stand. */
  readonly #recent = new Int32Array(RECENT);

  /** Of the name that stands there in the text. */
  at(text: string, begin: number, end: number): number {
    let hash = 0;
    for (let i = begin; i < end; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    const slot = hash & (RECENT - 1);
    const recent = this.#recent[slot]! - 1;
    const name = this.names[recent];
    if (name !== undefined && name.length === end - begin && text.startsWith(name, begin)) return recent;
    const number = this.of(text.slice(begin, end));
    this.#recent[slot] = number + 1;
    return number;
  }

  of(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}
