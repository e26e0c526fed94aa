import type { Problem } from '@superfluidity/core';
import { TextPositions } from '@superfluidity/dialects/languages';
import { remembered, type LanguageDocument, type Span } from './document.ts';
import { supportOf } from './languages.ts';

/** A problem with the part of the text that is to be underlined. */
export interface Diagnostic extends Span {
  readonly problem: Problem;
}

/** Behind these a word ends. */
const WORD = /[^\s,;:()[\]{}"'|]+/y;

/** What `superfluidity check` says of the file, at the same places. */
export const diagnostics: (document: LanguageDocument) => readonly Diagnostic[] = remembered((document) => {
  const { path, text, language } = document;
  const positions = new TextPositions(text, path);
  return supportOf(language)
    .read(document)
    .problems.filter(({ position }) => position?.file === undefined || position.file === path)
    .map((problem) => ({ ...spanOf(problem, text, positions), problem }));
});

function spanOf({ position }: Problem, text: string, positions: TextPositions): Span {
  const start = position === undefined ? 0 : (positions.lineStart(position.line) ?? text.length) + position.column - 1;
  const from = Math.min(start, text.length);
  WORD.lastIndex = from;
  const word = WORD.exec(text)?.[0] ?? '';
  return { from, to: Math.min(text.length, from + Math.max(1, word.length)) };
}
