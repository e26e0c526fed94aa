import type { DescriptorFile, Format } from '@superfluidity/dialects/languages';

/** Those that are read with what is always there. */
export const ownLanguages = ['native', 'nemo', 'click'] as const;
/** Texts of other dialects, named as these are: what is known of them is loaded with the first of their texts. */
export const dialectLanguages = [
  'sol006',
  'osm',
  'osm8',
  'tosca',
  'heat',
  'kubernetes',
  'appd',
  'rdcl',
  'cran',
] as const satisfies readonly Format[];
export const languages = [...ownLanguages, ...dialectLanguages] as const;
export type Language = (typeof languages)[number];
export type OwnLanguage = (typeof ownLanguages)[number];
export type DialectLanguage = (typeof dialectLanguages)[number];

export const isOwnLanguage = (language: Language): language is OwnLanguage =>
  ownLanguages.some((one) => one === language);

/** A text that somebody writes. A change makes another document: what is known of one is remembered. */
export interface LanguageDocument {
  readonly path: string;
  readonly text: string;
  readonly language: Language;
  /** Files of the same folder that it may speak of: VNFDs of NEMO, libraries of Click. */
  readonly beside?: readonly DescriptorFile[];
}

/** A part of the text. Offsets count characters of UTF-16, from 0. */
export interface Span {
  readonly from: number;
  /** Behind the last character. */
  readonly to: number;
}

/** What `T` knows of documents, made once for each. */
export function remembered<T>(make: (document: LanguageDocument) => T): (document: LanguageDocument) => T {
  const known = new WeakMap<LanguageDocument, { readonly value: T }>();
  return (document) => {
    const before = known.get(document);
    if (before !== undefined) return before.value;
    const value = make(document);
    known.set(document, { value });
    return value;
  };
}
