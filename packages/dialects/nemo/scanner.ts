import type { Position } from '@superfluidity/core';
import { TextPositions } from '../text-positions.ts';

/** A mistake that ends the reading of a statement. It never leaves the parser. */
export class SyntaxMistake extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Reads a text from the left to the right. What a character means depends on what is expected, so there are no tokens. */
export class Scanner {
  readonly text: string;
  readonly #positions: TextPositions;
  #offset = 0;

  constructor(text: string, file: string) {
    this.text = text;
    this.#positions = new TextPositions(text, file);
  }

  /** Where the next thing begins. */
  get offset(): number {
    SPACE.lastIndex = this.#offset;
    SPACE.exec(this.text);
    this.#offset = SPACE.lastIndex;
    return this.#offset;
  }

  /** Where the last thing ended. */
  get end(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.offset >= this.text.length;
  }

  get here(): Position {
    return this.position(this.offset);
  }

  position(offset: number): Position {
    return this.#positions.at(offset);
  }

  /** The pattern is sticky. What it matches is passed; white space before it does not count. */
  take(pattern: RegExp): string | undefined {
    const found = this.peek(pattern);
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    return pattern.exec(this.text)?.[0];
  }

  expect(pattern: RegExp, what: string): string {
    const found = this.take(pattern);
    if (found === undefined) throw this.mistake(`expected ${what}, found ${this.#next()}`);
    return found;
  }

  mistake(message: string): SyntaxMistake {
    return new SyntaxMistake(message, this.offset);
  }

  /** Behind the next semicolon, or at the end. */
  skipStatement(): void {
    const end = this.text.indexOf(';', this.#offset);
    this.#offset = end === -1 ? this.text.length : end + 1;
  }

  /** What was passed since the offset. */
  since(offset: number): string {
    return this.text.slice(offset, this.#offset).trim();
  }

  #next(): string {
    return this.atEnd ? 'the end of the script' : `'${/\S{1,30}/y.exec(this.text.slice(this.#offset))?.[0] ?? ''}'`;
  }
}

const SPACE = /(?:\s+|\/\/[^\n]*)*/y;
