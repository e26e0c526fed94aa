import { clickElements } from './models/click/elements.ts';

/** What is known of a class of elements of Click, for who writes a configuration. */
export interface ClickClass {
  readonly name: string;
  /** What it does, in a line, as the manual says. */
  readonly does: string;
  /** Where packets come into the box, leave it, both; what handles them; what has no ports. */
  readonly kind: 'entry' | 'exit' | 'both' | 'inner' | 'information';
}

/** All classes that have a model, by name. */
export function clickClasses(): ReadonlyMap<string, ClickClass> {
  return new Map([...clickElements].map(([name, { does, kind }]) => [name, { name, does, kind }]));
}
