import { isOwnLanguage, type Language } from '@superfluidity/language';
import type { Version } from './history.ts';
import type { Reading } from './reading.ts';
import type { Edited } from './yaml-edit.ts';

/** What is done with texts of other dialects, whose readers and writers are loaded with the first of them. */
export interface Others {
  readonly read: (version: Version) => Reading;
  /** Says in the text of a reading what its native descriptor, changed to this one, says now. */
  readonly amend: (reading: Reading, native: string) => Edited;
}

let loaded: Others | undefined;

/** Done by `load-language.ts`. */
export function setOthers(given: Others): void {
  loaded = given;
}

export const isLoaded = (language: Language): boolean => isOwnLanguage(language) || loaded !== undefined;

export function others(): Others {
  if (loaded === undefined) throw new Error('the dialect of this text was not loaded');
  return loaded;
}
