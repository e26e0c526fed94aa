import type { Field } from '../ir/expression.ts';
import { fields } from '../ir/fields.ts';

type Names = readonly (readonly [name: string, at: Field])[];

const known = new Map<string, Names>();

/** Headers share places: the first two bytes of layer 4 are a port of TCP or of UDP, as the layout says. */
export function namesFor(layout: string): Names {
  let names = known.get(layout);
  if (names === undefined) {
    const parts = new Set(layout.split('/'));
    const own = (name: string) => parts.has(name.slice(0, name.indexOf('.')).toLowerCase());
    names = Object.entries(fields).toSorted(([a], [b]) => Number(own(b)) - Number(own(a)));
    known.set(layout, names);
  }
  return names;
}
