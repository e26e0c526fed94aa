/**
 * Cuts a rule of iptables-save into words. Quoted words have backslashes before quotes and backslashes
 * (xtables_save_string of iptables). An open quote at the end of the line ends there.
 */
export function words(line: string): string[] {
  const found: string[] = [];
  let at = 0;
  while (at < line.length) {
    const char = line[at]!;
    if (char === ' ' || char === '\t' || char === '\r') at += 1;
    else if (char === '"' || char === "'") {
      let word = '';
      at += 1;
      while (at < line.length && line[at] !== char) {
        if (line[at] === '\\' && char === '"' && at + 1 < line.length) at += 1;
        word += line[at];
        at += 1;
      }
      at += 1;
      found.push(word);
    } else {
      const begin = at;
      while (at < line.length && line[at] !== ' ' && line[at] !== '\t' && line[at] !== '\r') at += 1;
      found.push(line.slice(begin, at));
    }
  }
  return found;
}

/** The words of one rule, read from left to right. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(all: readonly string[]) {
    this.#words = all;
  }

  get done(): boolean {
    return this.#at >= this.#words.length;
  }

  peek(): string | undefined {
    return this.#words[this.#at];
  }

  next(): string {
    const word = this.#words[this.#at] ?? '';
    this.#at += 1;
    return word;
  }

  /** `!` before the value, as iptables before 1.4.3 wrote it. */
  bang(): boolean {
    if (this.peek() !== '!') return false;
    this.#at += 1;
    return true;
  }

  /** All words up to the next option: the values of an option that nobody knows. */
  untilOption(): string[] {
    const values: string[] = [];
    while (!this.done) {
      const word = this.peek()!;
      if (word.startsWith('-') && word.length > 1 && !/^-[0-9]/.test(word)) break;
      if (word === '!' && (this.#words[this.#at + 1]?.startsWith('-') ?? false)) break;
      values.push(this.next());
    }
    return values;
  }
}
