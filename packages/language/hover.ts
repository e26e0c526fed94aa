import type { LanguageDocument, Span } from './document.ts';
import { supportOf } from './languages.ts';
import { nameUnder } from './references.ts';

/** What is to be said of something. The text is Markdown. */
export interface Hover extends Span {
  readonly text: string;
}

export function hover(document: LanguageDocument, offset: number): Hover | undefined {
  const support = supportOf(document.language);
  const name = nameUnder(document, offset);
  if (name === undefined) return support.explain(document, offset);
  const { from, to, symbol, kind } = name;
  const detail = symbol?.detail === undefined ? '' : `: ${symbol.detail}`;
  const more = support.explainName?.(document, name);
  return { from, to, text: [`${kind} \`${name.name}\`${detail}`, ...(more === undefined ? [] : [more])].join('\n\n') };
}
