import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { InputFile } from '../read/reader.ts';

/** What textual SEFL is made of: `name(argument, ...)`, `"text"`, `5`, `5:8` (a number of 8 bits), `IPv4.src`. */
export type Tree =
  | { readonly kind: 'call'; readonly name: string; readonly of: readonly Tree[]; readonly at: Position }
  | { readonly kind: 'text'; readonly text: string; readonly at: Position }
  | { readonly kind: 'number'; readonly value: bigint; readonly width: number | undefined; readonly at: Position }
  | { readonly kind: 'name'; readonly name: string; readonly at: Position };

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** All trees of a text, one after the other. `#` begins a comment. Throws SF-VERIFY-INPUT with line and column. */
export function readTrees(file: InputFile): readonly Tree[] {
  const reader = new TreeReader(file);
  const trees: Tree[] = [];
  for (let tree = reader.next(); tree !== undefined; tree = reader.next()) trees.push(tree);
  return trees;
}

/** Chains of conditions are deep. */
const NESTING_MAX = 2_000;

const isName = /[A-Za-z_]/;
const inName = /[\w.]/;

class TreeReader {
  readonly #file: InputFile;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;

  constructor(file: InputFile) {
    this.#file = file;
    this.#text = file.text;
  }

  next(): Tree | undefined {
    this.#skip();
    return this.#at >= this.#text.length ? undefined : this.#tree();
  }

  #tree(): Tree {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw this.#wrong(`at most ${NESTING_MAX} levels`);
    this.#skip();
    const at = this.#position();
    const char = this.#text[this.#at] ?? '';
    const tree = char === '"' ? this.#string(at) : /\d/.test(char) ? this.#number(at) : this.#callOrName(at, char);
    this.#depth -= 1;
    return tree;
  }

  #callOrName(at: Position, char: string): Tree {
    if (!isName.test(char)) throw this.#wrong('a name, a number or a text');
    const name = this.#while(inName);
    this.#skip();
    if (this.#text[this.#at] !== '(') return { kind: 'name', name, at };
    this.#at += 1;
    const of: Tree[] = [];
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === ')') break;
      of.push(this.#tree());
      this.#skip();
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== ')') throw this.#wrong("',' or ')'");
    }
    this.#at += 1;
    return { kind: 'call', name, of, at };
  }

  #number(at: Position): Tree {
    const value = BigInt(this.#while(/\d/));
    if (this.#text[this.#at] !== ':') return { kind: 'number', value, width: undefined, at };
    this.#at += 1;
    const width = Number(this.#while(/\d/));
    if (!(width > 0 && width <= 4_096)) throw this.#wrong('a width of 1 to 4096 bits');
    return { kind: 'number', value, width, at };
  }

  /** As JSON has texts. */
  #string(at: Position): Tree {
    const start = this.#at;
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"' && this.#text[this.#at] !== '\n') {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    if (this.#text[this.#at] !== '"') throw this.#wrong("'\"' at the end of the text");
    this.#at += 1;
    try {
      return { kind: 'text', text: JSON.parse(this.#text.slice(start, this.#at)) as string, at };
    } catch {
      throw this.#wrong('a text as in JSON');
    }
  }

  #while(pattern: RegExp): string {
    const start = this.#at;
    while (this.#at < this.#text.length && pattern.test(this.#text[this.#at]!)) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #skip(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === '\n') {
        this.#line += 1;
        this.#lineStart = this.#at + 1;
      }
      if (char === '#') {
        while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at += 1;
      } else if (char !== undefined && /\s/.test(char)) this.#at += 1;
      else return;
    }
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #wrong(expected: string): SuperfluidityError {
    return wrongAt(this.#file.path, this.#position(), expected);
  }
}

export function wrongAt(file: string, { line, column }: Position, expected: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', {
    doing: `read ${file}`,
    reason: `${file}:${line}:${column}: expected ${expected}`,
    data: { file, line, column },
  });
}
