import { SuperfluidityError } from '@superfluidity/core';
import { inputLimits } from '../limits.ts';
import type { InputFile } from '../read/reader.ts';

export interface Word {
  /** A word, a sign, or all of `{...}`. Empty at the end. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const signs = ['->', '==', '!=', '&&', '||', '(', ')', ',', ';', '=', '!'];
const short: Readonly<Record<string, string>> = {
  '∀': 'forall',
  '∃': 'exists',
  '¬': 'not',
  '∧': 'and',
  '∨': 'or',
  '→': '->',
};
const isWord = /[\w.:/@*-]/;

/** The words of a file of policies; `#` and `//` begin comments. */
export function policyWords({ path, text }: InputFile): readonly Word[] {
  const words: Word[] = [];
  let [line, lineStart, at] = [1, 0, 0];
  const fail = (reason: string): never => {
    throw new SuperfluidityError('SF-VERIFY-QUESTION', {
      doing: `read ${path}`,
      reason: `${path}:${line}:${at - lineStart + 1}: ${reason}`,
      data: { file: path, line, column: at - lineStart + 1 },
    });
  };
  while (at < text.length) {
    if (words.length > inputLimits.lines) fail(`more than ${inputLimits.lines} words`);
    const char = text[at]!;
    if (char === '\n') {
      line += 1;
      lineStart = at + 1;
    }
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    if (char === '#' || text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
      continue;
    }
    const word = { line, column: at - lineStart + 1 };
    const end = endOfWord(text, at);
    if (end === undefined)
      fail(char === '{' ? "expected '}' before the end of the line" : `unexpected ${JSON.stringify(char)}`);
    const found = text.slice(at, end);
    words.push({ ...word, text: short[found] ?? found });
    at = end!;
  }
  words.push({ text: '', line, column: at - lineStart + 1 });
  return words;
}

function endOfWord(text: string, at: number): number | undefined {
  const char = text[at]!;
  if (char === '{') {
    const [close, lineEnd] = [text.indexOf('}', at), text.indexOf('\n', at)];
    return close < 0 || (lineEnd >= 0 && lineEnd < close) ? undefined : close + 1;
  }
  if (Object.hasOwn(short, char)) return at + 1;
  const sign = signs.find((each) => text.startsWith(each, at));
  if (sign !== undefined) return at + sign.length;
  let end = at;
  // `a->b` is three words, and the dot at the end of a rule stands alone.
  while (end < text.length && isWord.test(text[end]!) && !text.startsWith('->', end)) end += 1;
  if (end > at + 1 && text[end - 1] === '.') end -= 1;
  return end === at ? undefined : end;
}
