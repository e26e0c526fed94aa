import type { Span } from './document.ts';

/** What a name stands for in a document: two names stand for the same when they have the same symbol. */
export interface NameSymbol {
  /** `network`, `element class`, `node`. */
  readonly kind: string;
  readonly name: string;
  /** For people, in a line: the class of an element, the prefix of a network. */
  readonly detail?: string;
  /** Where it stands that has no name there: the second port in a list of networks is `eth1`. */
  readonly place?: Span;
}

/** A name where it stands. */
export interface Name extends Span {
  readonly kind: string;
  readonly name: string;
  /** Absent for what is not defined in the document. */
  readonly symbol?: NameSymbol;
  readonly isDefinition: boolean;
  /** Another name as it has to be written in this place; as it is where this is absent. */
  readonly write?: (name: string) => string;
}

/** The name at a place, also where the cursor is behind its last letter. */
export function nameAt(names: readonly Name[], offset: number): Name | undefined {
  return (
    names.find(({ from, to }) => from <= offset && offset < to) ??
    names.find(({ from, to }) => from <= offset && offset <= to)
  );
}

/** Names whose text is what they say, in the order of the text, none over another. */
export function soundNames(text: string, names: readonly Name[]): readonly Name[] {
  const sound = names.filter(({ name, from, to }) => to > from && text.slice(from, to) === name);
  let end = 0;
  return sound
    .toSorted((a, b) => a.from - b.from)
    .filter(({ from, to }) => {
      if (from < end) return false;
      end = to;
      return true;
    });
}
