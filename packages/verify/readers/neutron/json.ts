import { inputLimits } from '../../limits.ts';
import type { InputFile } from '../../read/reader.ts';
import { unusable } from '../../read/lines.ts';

/** JSON (RFC 8259) that knows on which lines each value stands. */
export type Json = { readonly line: number; readonly end: number } & (
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Json[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
);

export interface Member {
  readonly key: string;
  /** Of the key; the value may begin later. */
  readonly line: number;
  readonly value: Json;
}

export function parseJson(file: InputFile): Json {
  return new Parser(file).whole();
}

/** Strings, numbers, words and marks; what stands between them may only be white space. */
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/y;

class Parser {
  readonly #file: InputFile;
  #at = 0;
  #line = 1;

  constructor(file: InputFile) {
    this.#file = file;
  }

  whole(): Json {
    const value = this.#value(this.#next(), 0);
    this.#space();
    if (this.#at < this.#file.text.length) this.#wrong('something follows the end of the value');
    return value;
  }

  #value(text: string, depth: number): Json {
    if (depth > inputLimits.nesting) this.#wrong(`nested deeper than ${inputLimits.nesting}`);
    const line = this.#line;
    if (text === '{') {
      const members = this.#separated('}', (first) => this.#member(first, depth + 1));
      return { kind: 'object', members, line, end: this.#line };
    }
    if (text === '[') {
      const items = this.#separated(']', (first) => this.#value(first, depth + 1));
      return { kind: 'list', items, line, end: this.#line };
    }
    return { kind: 'scalar', value: this.#scalar(text), line, end: line };
  }

  #member(text: string, depth: number): Member {
    const line = this.#line;
    if (!text.startsWith('"')) this.#wrong(`${text} is no name of a member`);
    const key = String(this.#scalar(text));
    if (this.#next() !== ':') this.#wrong(`a colon is missing after ${text}`);
    return { key, line, value: this.#value(this.#next(), depth) };
  }

  #separated<T>(close: string, one: (first: string) => T): readonly T[] {
    const made: T[] = [];
    let text = this.#next();
    if (text === close) return made;
    for (;;) {
      made.push(one(text));
      const mark = this.#next();
      if (mark === close) return made;
      if (mark !== ',') this.#wrong(`a comma or ${close} is missing before ${mark}`);
      text = this.#next();
    }
  }

  #scalar(text: string): string | number | boolean | null {
    try {
      return JSON.parse(text) as string | number | boolean | null;
    } catch {
      return this.#wrong(`${text.slice(0, 40)} is no value`);
    }
  }

  #next(): string {
    this.#space();
    token.lastIndex = this.#at;
    const found = token.exec(this.#file.text)?.[0];
    if (found === undefined) {
      const rest = this.#file.text.slice(this.#at, this.#at + 20);
      return this.#wrong(rest === '' ? 'it ends in the middle of a value' : `${rest} is no JSON`);
    }
    this.#at += found.length;
    return found;
  }

  #space(): void {
    const { text } = this.#file;
    for (; this.#at < text.length; this.#at += 1) {
      const char = text[this.#at];
      if (char === '\n') this.#line += 1;
      else if (char !== ' ' && char !== '\t' && char !== '\r') return;
    }
  }

  #wrong(why: string): never {
    throw unusable(this.#file.path, this.#line, why);
  }
}
