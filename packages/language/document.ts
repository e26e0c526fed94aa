import type { DescriptorFile } from '@superfluidity/dialects/languages';

export const languages = ['native', 'nemo', 'click'] as const;
export type Language = (typeof languages)[number];

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
