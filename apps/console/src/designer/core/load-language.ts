import type { Language } from '@superfluidity/language';
import { isLoaded, setOthers } from './others.ts';

/** Before a design in a language is shown. */
export async function loadLanguage(language: Language): Promise<void> {
  if (!isLoaded(language)) setOthers((await import('./dialects.ts')).dialectTexts);
}
