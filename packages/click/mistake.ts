import type { ClickPlace } from './tokens.ts';

/**
 * - `syntax`: it is not in the language.
 * - `twice`: an element is declared that there is already.
 * - `form`: a compound element has no form with these arguments and ports.
 * - `limit`: it is more than is read.
 */
export type ClickMistakeKind = 'syntax' | 'twice' | 'form' | 'limit';

/** What is wrong with a configuration. Whoever reads one makes an error or a problem of its own of it. */
export class ClickMistake extends Error {
  override readonly name = 'ClickMistake';
  readonly kind: ClickMistakeKind;
  readonly place: ClickPlace;

  constructor(kind: ClickMistakeKind, place: ClickPlace, reason: string) {
    super(reason);
    this.kind = kind;
    this.place = place;
  }
}

export function unusable(place: ClickPlace, reason: string): ClickMistake {
  return new ClickMistake('syntax', place, reason);
}

export function tooMuch(place: ClickPlace, reason: string): ClickMistake {
  return new ClickMistake('limit', place, reason);
}
