import { isNemo } from '@superfluidity/dialects/languages';
import { clickSupport } from './click.ts';
import type { DialectLanguage, Language } from './document.ts';
import { native } from './native/native.ts';
import { nemo } from './nemo.ts';
import type { LanguageSupport } from './support.ts';

const supports = new Map<Language, LanguageSupport>([
  ['native', native],
  ['nemo', nemo],
  ['click', clickSupport],
]);

/** Makes other dialects known, see `dialects.ts`: it is for whoever shows their texts to load that. */
export function addLanguages(more: Readonly<Record<DialectLanguage, LanguageSupport>>): void {
  for (const [language, support] of Object.entries(more)) supports.set(language as DialectLanguage, support);
}

export function supportOf(language: Language): LanguageSupport {
  const support = supports.get(language);
  if (support === undefined) throw new Error(`the language service of ${language} was not loaded`);
  return support;
}

const LOOKED_AT = 65_536;

/** The language of a file: by the ending of its name, and where that says little by its content. */
export function languageOf(path: string, text: string): Language | undefined {
  const ending = /\.([^./]*)$/.exec(path.toLowerCase())?.[1] ?? '';
  if (ending === 'click') return 'click';
  if (ending === 'nemo') return 'nemo';
  const beginning = text.slice(0, LOOKED_AT);
  if (['yaml', 'yml', 'json'].includes(ending)) {
    const isNative = beginning.trim() === '' || /^\s*(?:\{\s*)?["']?superfl/m.test(beginning);
    return isNative ? 'native' : undefined;
  }
  return isNemo({ path, bytes: new TextEncoder().encode(beginning) }) ? 'nemo' : undefined;
}
