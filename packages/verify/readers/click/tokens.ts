import { unusable } from './failure.ts';

export interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

const symbols = ['...', '->', '=>', '::', '||', '[', ']', '{', '}', '(', ')', ',', ';', '|', '-'];
const wordStart = /[A-Za-z0-9_@$]/;
const wordPart = /[A-Za-z0-9_@$/]/;

/**
 * The tokens of the Click language (click(5)), one at a time, because what is between the parentheses of an element is not
 * made of tokens: it belongs to the element. Unlike Click's, names may have a dash inside (`to-core-2`).
 */
export class ClickLexer {
  readonly #text: string;
  readonly #realFile: string;
  #file: string;
  #at = 0;
  #line = 1;
  /** `line` as it is in the file, whatever `#line` says. */
  #realLine = 1;
  #ahead: Token | undefined;
  /** Called with each line of the file that has something of the language on it. */
  readonly #seen: (line: number) => void;

  constructor(file: string, text: string, seen: (line: number) => void) {
    this.#text = text;
    this.#realFile = file;
    this.#file = file;
    this.#seen = seen;
  }

  peek(): Token {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }

  next(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  /** Whether a `$name` follows the next token: `KEYWORD $name` in the parameters of a compound element. */
  beforeVariable(): boolean {
    this.peek();
    return /^\s{1,1000}\$/.test(this.#text.slice(this.#at, this.#at + 1_001));
  }

  /** After an opening parenthesis was taken: the text up to the closing one, which is taken too. */
  configuration(): { readonly text: string; readonly line: number } {
    const [start, line] = [this.#at, this.#line];
    let depth = 1;
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (this.#skipComment()) continue;
      if (!/\s/.test(c)) this.#seen(this.#realLine);
      if (c === '"' || c === "'") {
        this.#quoted(c);
        continue;
      }
      if (c === '(') depth += 1;
      else if (c === ')') depth -= 1;
      this.#advance();
      if (depth === 0) return { text: this.#text.slice(start, this.#at - 1), line };
    }
    throw unusable(this.#realFile, line, 'the configuration in parentheses has no end');
  }

  #quoted(quote: string): void {
    const line = this.#line;
    this.#advance();
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#advance();
      this.#advance();
    }
    if (this.#at >= this.#text.length) throw unusable(this.#realFile, line, `the text in ${quote} has no end`);
    this.#advance();
  }

  #advance(): void {
    if (this.#text[this.#at] === '\n') {
      this.#line += 1;
      this.#realLine += 1;
    }
    this.#at += 1;
  }

  #skipComment(): boolean {
    if (this.#text[this.#at] !== '/') return false;
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (two !== '//' && two !== '/*') return false;
    const end = two === '//' ? this.#text.indexOf('\n', this.#at) : this.#text.indexOf('*/', this.#at + 2) + 2;
    if (two === '/*' && end === 1) throw unusable(this.#realFile, this.#line, 'the comment has no end');
    const to = end < 0 ? this.#text.length : end;
    while (this.#at < to) this.#advance();
    return true;
  }

  #read(): Token {
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (/\s/.test(c)) this.#advance();
      else if (c === '#' && (this.#at === 0 || this.#text[this.#at - 1] === '\n')) this.#lineDirective();
      else if (!this.#skipComment()) return this.#token(c);
    }
    return this.#make('end', '');
  }

  #token(c: string): Token {
    this.#seen(this.#realLine);
    if (wordStart.test(c)) {
      let end = this.#at + 1;
      while (end < this.#text.length && (wordPart.test(this.#text[end]!) || this.#dashInside(end))) {
        if (this.#text.startsWith('//', end) || this.#text.startsWith('/*', end)) break;
        end += 1;
      }
      return this.#take('word', end);
    }
    const symbol = symbols.find((candidate) => this.#text.startsWith(candidate, this.#at));
    if (symbol === undefined) throw unusable(this.#realFile, this.#line, `${JSON.stringify(c)} means nothing here`);
    return this.#take('symbol', this.#at + symbol.length);
  }

  /** A dash is part of a name between letters; between digits it is a range of ports. */
  #dashInside(at: number): boolean {
    return (
      this.#text[at] === '-' && /[A-Za-z_]/.test(this.#text[at - 1]!) && /[A-Za-z0-9_]/.test(this.#text[at + 1] ?? '')
    );
  }

  #take(kind: Token['kind'], end: number): Token {
    const token = this.#make(kind, this.#text.slice(this.#at, end));
    this.#at = end;
    return token;
  }

  #make(kind: Token['kind'], text: string): Token {
    return { kind, text, file: this.#file, line: this.#line };
  }

  /** `#line 12 "file"`, as the C preprocessor leaves it. */
  #lineDirective(): void {
    const newline = this.#text.indexOf('\n', this.#at);
    const end = newline < 0 ? this.#text.length : newline;
    const text = this.#text.slice(this.#at, Math.min(end, this.#at + 1_000));
    const found = /^#\s*(?:line\s)?\s*(\d{1,9})(?:\s+"([^"]*)")?/.exec(text);
    if (found === null)
      throw unusable(this.#realFile, this.#line, 'a line that begins with # says #line NUMBER "FILE"');
    this.#seen(this.#realLine);
    while (this.#at < end) this.#advance();
    this.#line = Number(found[1]) - 1;
    if (found[2] !== undefined) this.#file = found[2];
  }
}
