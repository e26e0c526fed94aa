import type { LanguageDocument, Span } from './document.ts';
import { supportOf } from './languages.ts';

export type CompletionKind = 'keyword' | 'field' | 'value' | 'name' | 'class';

/** Something that can stand at the cursor. The span is what it replaces. */
export interface Completion extends Span {
  readonly label: string;
  readonly kind: CompletionKind;
  /** Instead of the label. */
  readonly insert?: string;
  /** In a few words, beside the label. */
  readonly detail?: string;
  /** Markdown. */
  readonly documentation?: string;
}

/** More than anybody looks through. */
const COMPLETIONS_MAX = 500;

/** What can stand at a place: those that begin as what is there, each once. */
export function complete(document: LanguageDocument, offset: number): readonly Completion[] {
  const at = Math.max(0, Math.min(offset, document.text.length));
  const seen = new Set<string>();
  const fitting = supportOf(document.language)
    .complete(document, at)
    .filter(({ label, from }) => {
      const written = document.text.slice(from, at).toLowerCase();
      if (seen.has(label) || !label.toLowerCase().startsWith(written)) return false;
      seen.add(label);
      return true;
    });
  return fitting.slice(0, COMPLETIONS_MAX);
}
