import type { LanguageDocument, Span } from './document.ts';
import { supportOf } from './languages.ts';
import { namesOf, nameUnder, references } from './references.ts';

export interface Edit extends Span {
  readonly text: string;
}

export type Renamed = { readonly edits: readonly Edit[] } | { readonly refused: string };

/** The name that can be changed at a place, or why none can. */
export function renamable(
  document: LanguageDocument,
  offset: number,
): { readonly span: Span; readonly name: string } | { readonly refused: string } {
  const name = nameUnder(document, offset);
  if (name === undefined) return { refused: 'there is no name here' };
  const fixed = supportOf(document.language).refuseChange?.(name.kind, name.name);
  if (fixed !== undefined) return { refused: fixed };
  const all = references(document, offset);
  if (all.some(({ isDefinition }) => isDefinition)) return { span: { from: name.from, to: name.to }, name: name.name };
  const isImplied = name.symbol?.place !== undefined;
  return {
    refused: isImplied
      ? `the ${name.kind} '${name.name}' has its name by its place: write it in the long form first`
      : `the ${name.kind} '${name.name}' is not defined in this file`,
  };
}

/**
 * Gives what is named at a place another name, wherever it is named. Exactly that: when the text would then say something
 * else, because another thing has the name or the name means something else, it is refused.
 */
export function rename(document: LanguageDocument, offset: number, name: string): Renamed {
  const found = renamable(document, offset);
  if ('refused' in found) return found;
  if (name === found.name) return { edits: [] };
  const { kind } = nameUnder(document, offset)!;
  const refused = supportOf(document.language).refuseName(kind, name);
  if (refused !== undefined) return { refused };
  const edits = references(document, offset).map(({ from, to, write }) => ({ from, to, text: write?.(name) ?? name }));
  if (!meansTheSame(document, edits, found.name, name))
    return { refused: `'${name}' is something else already, or cannot be a name here` };
  return { edits };
}

/** The text with the edits carried out. They do not lie over each other. */
export function edited(text: string, edits: readonly Edit[]): string {
  let [whole, end] = ['', 0];
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    whole += text.slice(end, edit.from) + edit.text;
    end = edit.to;
  }
  return whole + text.slice(end);
}

/** The same names stand for the same things as before, one of which is called otherwise. */
function meansTheSame(document: LanguageDocument, edits: readonly Edit[], before: string, name: string): boolean {
  const was = namesOf(document);
  const is = namesOf({ ...document, text: edited(document.text, edits) });
  if (was.length !== is.length) return false;
  const changed = new Set(edits.map(({ from }) => from));
  const symbols = new Map<unknown, unknown>();
  const back = new Map<unknown, unknown>();
  return was.every((old, i) => {
    const now = is[i]!;
    const wanted = changed.has(old.from) ? name : old.name;
    if (now.name !== wanted || now.kind !== old.kind || now.isDefinition !== old.isDefinition) return false;
    if (changed.has(old.from) && old.name !== before) return false;
    if ((old.symbol === undefined) !== (now.symbol === undefined)) return false;
    if (old.symbol === undefined) return true;
    const [to, from] = [symbols.get(old.symbol) ?? now.symbol, back.get(now.symbol) ?? old.symbol];
    symbols.set(old.symbol, to);
    back.set(now.symbol, from);
    return to === now.symbol && from === old.symbol;
  });
}
