import { isAlias, isMap, isSeq, type Node } from 'yaml';
import { type Group, isGroup, same } from '../groups.ts';
import { identityOf, isInOrder, pairsOf, spelledIn } from './align.ts';
import { type Edits, Entangled, type Entry } from './splice.ts';

/**
 * Brings what differs between two values into a third, which somebody has written: `base` and `theirs` are what one writer
 * says before and after a change, `ours` is the text. What is the same in both stays in the text as it is, and so does what
 * the writer says nothing of. Every change is noted as one of the text; the value that it then has is returned.
 */
export class Merge {
  readonly #edits: Edits;

  constructor(edits: Edits) {
    this.#edits = edits;
  }

  /** The value of a field, of an item of a list, or of all. `owner` is what it is changed in. */
  value(
    owner: Entry | Node,
    node: Node | null,
    ours: unknown,
    base: unknown,
    theirs: unknown,
    isInFlow: boolean,
  ): unknown {
    if (same(base ?? null, theirs ?? null) || same(ours ?? null, theirs ?? null)) return ours;
    if (isAlias(node)) throw new Entangled('it is written elsewhere in the text');
    if (isMap(node) && isGroup(ours) && isGroup(theirs) && Object.keys(ours).length > 0) {
      const merged = this.#map(node, ours, isGroup(base) ? base : {}, theirs, isInFlow || node.flow === true);
      if (merged !== undefined) return merged;
    }
    if (isSeq(node) && Array.isArray(ours) && Array.isArray(theirs) && ours.length > 0) {
      const before = Array.isArray(base) ? (base as readonly unknown[]) : [];
      const merged = this.#list(node, ours, before, theirs, isInFlow || node.flow === true);
      if (merged !== undefined) return merged;
    }
    this.#edits.replace(owner, theirs, isInFlow);
    return theirs;
  }

  /** Undefined where nothing of the group stays. */
  #map(
    node: Node & { readonly items: readonly unknown[] },
    ours: Group,
    base: Group,
    theirs: Group,
    isInFlow: boolean,
  ): Group | undefined {
    if (!isMap(node)) return undefined;
    const entries = node.items as Entry[];
    const names = entries.map(({ key }) => nameOf(key));
    const places = new Map(names.map((name, i) => [name, i]));
    const removed = Object.keys(base).filter((name) => spelledIn(theirs, name) === undefined);
    const fresh = Object.keys(theirs).filter((name) => spelledIn(base, name) === undefined);
    const renamed = renamedIn(base, theirs, removed, fresh);
    const merged = new Map(Object.entries(ours));
    const gone = new Set<number>();
    const added: { after: number; name: string; value: unknown }[] = [];
    const placeOf = (name: string) => {
      const spelled = spelledIn(ours, renamed.get(name) ?? name);
      return spelled === undefined ? -1 : (places.get(spelled) ?? -1);
    };
    const moved = new Set(renamed.values());
    for (const name of removed) {
      const spelled = spelledIn(ours, name);
      const place = spelled === undefined ? undefined : places.get(spelled);
      if (spelled === undefined || place === undefined || moved.has(name)) continue;
      gone.add(place);
      merged.delete(spelled);
    }
    // First of all only where the text has its fields in the order of the writer.
    const [firstKnown] = Object.keys(theirs)
      .map(placeOf)
      .filter((place) => place >= 0);
    let after = firstKnown === 0 ? -1 : entries.length - 1;
    const changes: (() => void)[] = [];
    for (const name of Object.keys(theirs)) {
      const place = placeOf(name);
      const before = spelledIn(base, renamed.get(name) ?? name);
      if (place >= 0) {
        after = place;
        const spelled = names[place]!;
        const entry = entries[place]!;
        const value = () =>
          this.value(
            entry,
            entry.value,
            ours[spelled],
            before === undefined ? undefined : base[before],
            theirs[name],
            isInFlow,
          );
        changes.push(() => {
          if (renamed.has(name)) {
            this.#edits.renameKey(entry, name);
            merged.delete(spelled);
          }
          merged.set(renamed.has(name) ? name : spelled, value());
        });
      } else if (before === undefined || !same(base[before] ?? null, theirs[name] ?? null)) {
        // What the writer has always said and the text never is left out, until it changes.
        added.push({ after, name, value: theirs[name] });
        merged.set(name, theirs[name]);
      }
    }
    if (gone.size === entries.length) return undefined;
    for (const change of changes) change();
    const stays = lastOf(entries.length, gone);
    if (gone.size + added.length > 0)
      this.#edits.map(node, { gone, added: added.map((one) => ({ ...one, after: stays(one.after) })) });
    return Object.fromEntries(merged);
  }

  /** Undefined where nothing of the list stays, or its order changes. */
  #list(
    node: Node,
    ours: readonly unknown[],
    base: readonly unknown[],
    theirs: readonly unknown[],
    isInFlow: boolean,
  ): readonly unknown[] | undefined {
    if (!isSeq(node)) return undefined;
    const identity = identityOf({ ours, base, theirs });
    const [toOurs, toTheirs] = [pairsOf(base, ours, identity), pairsOf(base, theirs, identity)];
    if (!isInOrder(toTheirs)) return undefined;
    const fromTheirs = new Map([...toTheirs].map(([from, to]) => [to, from]));
    const items = node.items as Node[];
    const gone = new Set<number>();
    base.forEach((_item, i) => {
      const place = toOurs.get(i);
      if (!toTheirs.has(i) && place !== undefined) gone.add(place);
    });
    if (gone.size === items.length) return undefined;
    const known = new Set(toOurs.values());
    const own = ours.filter((_item, i) => !known.has(i));
    const added: { after: number; value: unknown }[] = [];
    const changes: (() => void)[] = [];
    const merged = new Map<number, unknown>(ours.map((item, i) => [i, item]));
    // What is first of all stands first, also where the text has more than the writer says.
    let after = -1;
    theirs.forEach((item, j) => {
      const i = fromTheirs.get(j);
      const place = i === undefined ? undefined : toOurs.get(i);
      if (i !== undefined && place !== undefined) {
        after = place;
        changes.push(() =>
          merged.set(place, this.value(items[place]!, items[place]!, ours[place], base[i], item, isInFlow)),
        );
        return;
      }
      if (own.some((one) => same(one ?? null, item ?? null))) return;
      if (i === undefined || !same(base[i] ?? null, item ?? null)) added.push({ after, value: item });
    });
    for (const change of changes) change();
    const stays = lastOf(items.length, gone);
    const placed = added.map((one) => ({ ...one, after: one.after < 0 ? -1 : stays(one.after) }));
    if (gone.size + placed.length > 0) this.#edits.list(node, { gone, added: placed });
    const behind = (place: number) => placed.filter((one) => one.after === place).map(({ value }) => value);
    return [...behind(-1), ...items.flatMap((_item, i) => [...(gone.has(i) ? [] : [merged.get(i)]), ...behind(i)])];
  }
}

/** The item itself, or where it goes the nearest before that stays; -1 where none does. */
function lastOf(length: number, gone: ReadonlySet<number>): (place: number) => number {
  return (place) => {
    for (let at = Math.min(place, length - 1); at >= 0; at -= 1) if (!gone.has(at)) return at;
    return -1;
  };
}

/** A field that says the same under another name: by its name now, the name that it had. */
function renamedIn(
  base: Group,
  theirs: Group,
  removed: readonly string[],
  fresh: readonly string[],
): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  const left = new Set(removed);
  for (const name of fresh) {
    const was = [...left].find((one) => isGroup(base[one]) && same(base[one], theirs[name]));
    if (was === undefined) continue;
    renamed.set(name, was);
    left.delete(was);
  }
  return renamed;
}

export function nameOf(key: unknown): string {
  return String((key as { readonly value?: unknown } | null)?.value ?? '');
}

/** The node at a path of a document. */
export function nodeIn(
  { contents }: { readonly contents: Node | null },
  path: readonly (string | number)[],
): { owner: Entry | Node; node: Node | null } {
  let owner: Entry | Node = contents!;
  let node = contents;
  for (const step of path) {
    if (isMap(node)) {
      const entry = (node.items as Entry[]).find(({ key }) => nameOf(key) === String(step));
      if (entry === undefined) throw new Entangled('it is not there');
      owner = entry;
      node = entry.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node;
      owner = node;
    } else throw new Entangled('it is written elsewhere in the text');
  }
  return { owner, node };
}
