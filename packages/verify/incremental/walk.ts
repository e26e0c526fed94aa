import type { AtomId } from './atoms.ts';
import type { End } from './verifier.ts';

export const keyOf = ({ node, port }: End) => `${node} ${port}`;

/** One search for loops. */
export class Walk {
  readonly path: End[] = [];
  readonly candidates = new Map<
    string,
    { readonly ends: readonly End[]; readonly forwarded: Set<AtomId>; readonly filtered: Set<AtomId> }
  >();

  /** A circle is the same wherever it is entered. */
  found(ends: readonly End[], forwarded: readonly AtomId[], filtered: readonly AtomId[]): void {
    const keys = ends.map(keyOf);
    const first = keys.indexOf(keys.reduce((least, key) => (key < least ? key : least)));
    const key = [...keys.slice(first), ...keys.slice(0, first)].join('\n');
    const known = this.candidates.get(key);
    if (known === undefined) {
      this.candidates.set(key, {
        ends: [...ends.slice(first), ...ends.slice(0, first)],
        forwarded: new Set(forwarded),
        filtered: new Set(filtered),
      });
      return;
    }
    for (const atom of forwarded) known.forwarded.add(atom);
    for (const atom of filtered) known.filtered.add(atom);
  }
}
