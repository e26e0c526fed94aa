import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { inputLimits } from '../limits.ts';

export interface Word {
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

const symbols = ['&&', '||', '==', '!=', '<=', '>=', '(', ')', '[', ']', '!', '=', '<', '>', '&', '?'];
const isWord = /[A-Za-z0-9._/:@-]/;

/** The words of a filter; at the end an empty one, so that there is always a next. */
export function filterWords(text: string): readonly Word[] {
  if (text.length > inputLimits.lineLength)
    throw filterError(1, `a filter of at most ${inputLimits.lineLength} characters`, 'more');
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at += 1;
      continue;
    }
    const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
    let end = at + (symbol?.length ?? 0);
    if (symbol === undefined) while (end < text.length && isWord.test(text[end]!)) end += 1;
    if (end === at) throw filterError(at + 1, 'a word or an operator', JSON.stringify(text[at]));
    words.push({ text: text.slice(at, end), column: at + 1 });
    at = end;
  }
  words.push({ text: '', column: text.length + 1 });
  return words;
}

export function filterError(column: number, expected: string, found: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-QUESTION', {
    reason: `column ${column}: expected ${expected}, found ${found}`,
    data: { column, expected },
  });
}
