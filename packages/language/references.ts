import { remembered, type LanguageDocument, type Span } from './document.ts';
import { supportOf } from './languages.ts';
import { nameAt, soundNames, type Name } from './names.ts';

export type { Name, NameSymbol } from './names.ts';

/** All names of a document, in order: what is defined, and what refers to it. */
export const namesOf: (document: LanguageDocument) => readonly Name[] = remembered((document) =>
  soundNames(document.text, supportOf(document.language).names(document)),
);

export function nameUnder(document: LanguageDocument, offset: number): Name | undefined {
  return nameAt(namesOf(document), offset);
}

/** Where what is named at a place is defined: several times where it is declared several times. */
export function definitions(document: LanguageDocument, offset: number): readonly Span[] {
  const symbol = nameUnder(document, offset)?.symbol;
  if (symbol === undefined) return [];
  const defined = namesOf(document).filter((name) => name.symbol === symbol && name.isDefinition);
  return defined.length === 0 && symbol.place !== undefined ? [symbol.place] : defined;
}

/** All names that stand for what is named at a place, that one among them. */
export function references(document: LanguageDocument, offset: number): readonly Name[] {
  const symbol = nameUnder(document, offset)?.symbol;
  return symbol === undefined ? [] : namesOf(document).filter((name) => name.symbol === symbol);
}
