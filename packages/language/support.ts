import type { ReadResult } from '@superfluidity/dialects/languages';
import type { Completion } from './complete.ts';
import type { LanguageDocument, Span } from './document.ts';
import type { Name } from './names.ts';

/** What each language brings; all else is the same for all of them. */
export interface LanguageSupport {
  /** As `check` reads it. Positions of problems have the path of the document. */
  readonly read: (document: LanguageDocument) => ReadResult;
  readonly names: (document: LanguageDocument) => readonly Name[];
  readonly complete: (document: LanguageDocument, offset: number) => readonly Completion[];
  /** Of what is no name: keywords, fields. */
  readonly explain: (document: LanguageDocument, offset: number) => (Span & { readonly text: string }) | undefined;
  /** Of a name, what is to be said beside its kind and detail. */
  readonly explainName?: (document: LanguageDocument, name: Name) => string | undefined;
  /** Why something of this kind cannot be called so; undefined where it can. */
  readonly refuseName: (kind: string, name: string) => string | undefined;
  /** Why a name has to stay: it means something beside what it names. */
  readonly refuseChange?: (kind: string, name: string) => string | undefined;
}
