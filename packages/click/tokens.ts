import { unusable } from './mistake.ts';

/** Where something stands. */
export interface ClickPlace {
  /** File and line as the text says of itself: a preprocessor leaves `#line` where it took other files in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The file that was really read, and how many characters of it come before. */
  readonly path: string;
  readonly offset: number;
}

export interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
  readonly place: ClickPlace;
}

/** What stands between the parentheses of an element, with the offsets of its first character and of the closing one. */
export interface TokenConfiguration {
  readonly text: string;
  readonly place: ClickPlace;
}

const NEWLINE = 10;
const symbols = ['...', '->', '=>', '::', '||', '[', ']', '{', '}', '(', ')', ',', ';', '|', '-'];
const WORD = /[A-Za-z0-9_@$][A-Za-z0-9_@$/]*/y;
const BLANKS = /\s+/y;
/** Up to what may be of interest in a configuration. */
const PLAIN = /[^\s"'()/]+/y;

/**
 * The tokens of the Click language (click(5)), one at a time, because what is between the parentheses of an element is not
 * made of tokens: it belongs to the element. Unlike Click's, names may have a dash inside (`to-core-2`).
 */
export class ClickLexer {
  readonly text: string;
  readonly path: string;
  /** Comments outside of configurations: beginning and end of each, one after the other. */
  readonly comments: number[] = [];
  #file: string;
  #at = 0;
  #line = 1;
  /** `line` as it is in the file, whatever `#line` says. */
  #realLine = 1;
  #ahead: Token | undefined;
  /** Behind the last token that was taken. */
  #end = 0;
  /** Called with each line of the file that has something of the language on it. */
  readonly #seen: (line: number) => void;

  constructor(path: string, text: string, seen: (line: number) => void = () => {}) {
    this.text = text;
    this.path = path;
    this.#file = path;
    this.#seen = seen;
  }

  peek(): Token {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }

  next(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    this.#end = this.#at;
    return token;
  }

  /** Behind what was taken last. */
  get end(): number {
    return this.#end;
  }

  /** Whether a `$name` follows the next token: `KEYWORD $name` in the parameters of a compound element. */
  beforeVariable(): boolean {
    this.peek();
    return /^\s{1,1000}\$/.test(this.text.slice(this.#at, this.#at + 1_001));
  }

  /** After an opening parenthesis was taken: the text up to the closing one, which is taken too. */
  configuration(): TokenConfiguration {
    const place = this.#place();
    let depth = 1;
    while (this.#at < this.text.length) {
      const c = this.text[this.#at]!;
      if (/\s/.test(c)) {
        this.#skipBlanks();
        continue;
      }
      if (this.#skipComment(false)) continue;
      this.#seen(this.#realLine);
      if (c === '"' || c === "'") {
        this.#quoted(c);
        continue;
      }
      PLAIN.lastIndex = this.#at;
      if (PLAIN.test(this.text)) {
        this.#at = PLAIN.lastIndex;
        continue;
      }
      if (c === '(') depth += 1;
      else if (c === ')') depth -= 1;
      this.#at += 1;
      if (depth === 0) {
        this.#end = this.#at;
        return { text: this.text.slice(place.offset, this.#at - 1), place };
      }
    }
    throw unusable(place, 'the configuration in parentheses has no end');
  }

  /** Goes on behind a mistake: at the next semicolon, or inside of a compound before the brace that closes it. */
  recover(inside: boolean): void {
    for (let isFirst = true; ; isFirst = false) {
      try {
        const { kind, text } = this.peek();
        if (kind === 'end' || (inside && kind === 'symbol' && text === '}')) return;
        this.next();
        if (kind === 'symbol' && (text === ';' || (isFirst && text === '}'))) return;
        if (kind === 'symbol' && text === '(') this.configuration();
      } catch {
        // A comment or a text without an end has taken all; any other character is passed.
        this.#ahead = undefined;
        this.#at += 1;
      }
    }
  }

  #quoted(quote: string): void {
    const place = this.#place();
    let at = this.#at + 1;
    while (at < this.text.length && this.text[at] !== quote) {
      if (quote === '"' && this.text[at] === '\\') at += 1;
      at += 1;
    }
    if (at >= this.text.length) {
      this.#passTo(this.text.length);
      throw unusable(place, `the text in ${quote} has no end`);
    }
    this.#passTo(at + 1);
  }

  /** Counts the lines on the way. */
  #passTo(end: number): void {
    for (let at = this.text.indexOf('\n', this.#at); at >= 0 && at < end; at = this.text.indexOf('\n', at + 1)) {
      this.#line += 1;
      this.#realLine += 1;
    }
    this.#at = end;
  }

  #skipBlanks(): boolean {
    BLANKS.lastIndex = this.#at;
    if (!BLANKS.test(this.text)) return false;
    const end = BLANKS.lastIndex;
    for (; this.#at < end; this.#at += 1) {
      if (this.text.charCodeAt(this.#at) !== NEWLINE) continue;
      this.#line += 1;
      this.#realLine += 1;
    }
    return true;
  }

  #skipComment(keep: boolean): boolean {
    if (this.text[this.#at] !== '/') return false;
    const next = this.text[this.#at + 1];
    if (next !== '/' && next !== '*') return false;
    const from = this.#at;
    const end = next === '/' ? this.text.indexOf('\n', from) : this.text.indexOf('*/', from + 2) + 2;
    if (next === '*' && end === 1) {
      const place = this.#place();
      this.#passTo(this.text.length);
      throw unusable(place, 'the comment has no end');
    }
    this.#passTo(end < 0 ? this.text.length : end);
    if (keep) this.comments.push(from, this.#at);
    return true;
  }

  #read(): Token {
    while (this.#at < this.text.length) {
      const c = this.text[this.#at]!;
      if (this.#skipBlanks()) continue;
      if (c === '#' && (this.#at === 0 || this.text[this.#at - 1] === '\n')) this.#lineDirective();
      else if (!this.#skipComment(true)) return this.#token();
    }
    return { kind: 'end', text: '', place: this.#place() };
  }

  #token(): Token {
    this.#seen(this.#realLine);
    WORD.lastIndex = this.#at;
    if (WORD.test(this.text)) return this.#take('word', this.#wordEnd(WORD.lastIndex));
    const symbol = symbols.find((candidate) => this.text.startsWith(candidate, this.#at));
    if (symbol === undefined) {
      const c = String.fromCodePoint(this.text.codePointAt(this.#at)!);
      throw unusable(this.#place(), `${JSON.stringify(c)} means nothing here`);
    }
    return this.#take('symbol', this.#at + symbol.length);
  }

  /**
   * A comment ends a word, though `/` is a part of words. A dash is a part of one between letters; between digits it is a
   * range of ports.
   */
  #wordEnd(found: number): number {
    let [from, end] = [this.#at, found];
    for (;;) {
      const comment = this.text.slice(from, end + 1).search(/\/[/*]/);
      if (comment >= 0) return from + Math.max(comment, from === this.#at ? 1 : 0);
      const dash =
        this.text[end] === '-' &&
        /[A-Za-z_]/.test(this.text[end - 1]!) &&
        /[A-Za-z0-9_]/.test(this.text[end + 1] ?? '');
      if (!dash) return end;
      from = end + 1;
      WORD.lastIndex = from;
      WORD.test(this.text);
      end = WORD.lastIndex;
    }
  }

  #take(kind: Token['kind'], end: number): Token {
    const token: Token = { kind, text: this.text.slice(this.#at, end), place: this.#place() };
    this.#at = end;
    return token;
  }

  #place(): ClickPlace {
    return { file: this.#file, line: this.#line, path: this.path, offset: this.#at };
  }

  /** `#line 12 "file"`, as the C preprocessor leaves it. */
  #lineDirective(): void {
    const newline = this.text.indexOf('\n', this.#at);
    const end = newline < 0 ? this.text.length : newline;
    const text = this.text.slice(this.#at, Math.min(end, this.#at + 1_000));
    const found = /^#\s*(?:line\s+)?(\d{1,9})(?:\s+"([^"]*)")?/.exec(text);
    if (found === null) throw unusable(this.#place(), 'a line that begins with # says #line NUMBER "FILE"');
    this.#seen(this.#realLine);
    this.#at = end;
    this.#line = Number(found[1]) - 1;
    if (found[2] !== undefined) this.#file = found[2];
  }
}
