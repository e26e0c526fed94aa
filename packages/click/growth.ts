import { clickLimits } from './limits.ts';
import { tooMuch } from './mistake.ts';
import type { ClickPlace } from './tokens.ts';

/**
 * What taking compound elements apart has made so far, over all of a configuration. Compound elements in compound
 * elements, and values that stand for values, can be exponentially many, and empty at that: all of it counts.
 */
export class Growth {
  #parts = 0;
  #characters = 0;
  #depth = 0;

  /** Elements and connections. */
  parts(count: number, place: ClickPlace): void {
    this.#parts += count;
    if (this.#parts > clickLimits.parts)
      throw tooMuch(place, `more than ${clickLimits.parts} elements and connections`);
  }

  /** Characters that are not in the text so often, and what takes as long or as much room. */
  characters(count: number, place: ClickPlace): void {
    this.#characters += count;
    if (this.#characters > clickLimits.characters)
      throw tooMuch(
        place,
        `more than ${clickLimits.characters} characters of names, arguments and values of variables`,
      );
  }

  /** Whether it is inside of a compound element, which may be taken apart many times. */
  get isInside(): boolean {
    return this.#depth > 0;
  }

  inside<T>(place: ClickPlace, expand: () => T): T {
    if (this.#depth >= clickLimits.nesting)
      throw tooMuch(place, `more than ${clickLimits.nesting} compound elements inside each other`);
    this.#depth += 1;
    try {
      return expand();
    } finally {
      this.#depth -= 1;
    }
  }
}
