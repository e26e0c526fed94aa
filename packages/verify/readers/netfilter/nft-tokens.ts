import { unusable } from '../../read/lines.ts';
import { inputLimits } from '../../limits.ts';

export interface Token {
  /** Words and punctuation as they are; strings without their quotes. */
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

const punctuation: ReadonlySet<string> = new Set([
  '{',
  '}',
  ',',
  ';',
  '(',
  ')',
  '|',
  '&',
  '^',
  '=',
  '<',
  '>',
  '!',
  '[',
  ']',
]);

/** Words of `nft list ruleset`. The end of a line is a `;`, within braces of sets it is nothing. */
export function tokens(text: string, file: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  let at = 0;
  let nesting = 0;
  const push = (word: string, quoted = false) => found.push({ text: word, quoted, line });
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') {
      push('\n');
      line += 1;
      at += 1;
    } else if (char === ' ' || char === '\t' || char === '\r') at += 1;
    else if (char === '\\' && text[at + 1] === '\n') {
      line += 1;
      at += 2;
    } else if (char === '#') {
      while (at < text.length && text[at] !== '\n') at += 1;
    } else if (char === '"') {
      const end = text.indexOf('"', at + 1);
      const close = end < 0 || text.slice(at, end).includes('\n') ? -1 : end;
      if (close < 0) throw unusable(file, line, 'a string without end');
      push(text.slice(at + 1, close), true);
      at = close + 1;
    } else if (punctuation.has(char)) {
      if (char === '{' || char === '(') nesting += 1;
      if (char === '}' || char === ')') nesting -= 1;
      if (nesting > inputLimits.nesting) throw unusable(file, line, `nested deeper than ${inputLimits.nesting}`);
      const two = text.slice(at, at + 2);
      if (two === '==' || two === '!=' || two === '<=' || two === '>=' || two === '<<' || two === '>>') {
        push(two);
        at += 2;
      } else {
        push(char);
        at += 1;
      }
    } else {
      const begin = at;
      while (at < text.length && !' \t\r\n"#'.includes(text[at]!) && !punctuation.has(text[at]!)) at += 1;
      push(text.slice(begin, at));
    }
  }
  return found;
}

/** A place among the tokens of one statement. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get line(): number {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]?.line ?? 1;
  }

  peek(ahead = 0): string | undefined {
    return this.#tokens[this.#at + ahead]?.text;
  }

  get quoted(): boolean {
    return this.#tokens[this.#at]?.quoted === true;
  }

  next(): string {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token?.text ?? '';
  }

  /** Takes the words if they come next. */
  take(...words: readonly string[]): boolean {
    if (this.quoted || words.some((word, ahead) => this.peek(ahead) !== word)) return false;
    this.#at += words.length;
    return true;
  }

  skipNewlines(): void {
    while (this.peek() === '\n') this.#at += 1;
  }
}
