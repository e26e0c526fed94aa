import { canonicalJson } from '@superfluidity/core';
import { isGroup, type Group } from '../groups.ts';

/** Which item of one list is which of another, by their places. */
export type Pairs = ReadonlyMap<number, number>;

/** Fields by which items of lists are told apart, in the order in which they are tried; then whatever ends in one of them. */
const IDENTITY = ['id', 'name', 'member-vnf-index', 'key', 'port', 'ip'];
const LIKE_IDENTITY = /(?:^|[-_])(?:id|index|ref|name)$|(?:Id|Name|Port|Path)$|^type$/;

/** The name of a field without the module that it is of (RFC 7951, clause 4). */
export const plainName = (name: string): string =>
  name.replace(/^(?:etsi-nfv-[\w-]+|superfluidity-nfv|nfv|nsd|vnfd|sf):/, '');

/** The field as it is spelled in a group: with the name of its module or without. */
export function spelledIn(group: Group, name: string): string | undefined {
  if (Object.hasOwn(group, name)) return name;
  const plain = plainName(name);
  return Object.keys(group).find((one) => plainName(one) === plain);
}

function fieldOf(item: unknown, name: string): unknown {
  if (!isGroup(item)) return undefined;
  const spelled = spelledIn(item, name);
  return spelled === undefined ? undefined : item[spelled];
}

/** Three lists of which the same items have to be found: of a text, and as the writer has it before and after a change. */
export interface Lists {
  readonly ours: readonly unknown[];
  readonly base: readonly unknown[];
  readonly theirs: readonly unknown[];
}

/**
 * By what the items of these lists are told apart: by the field that finds most of what the writer says in the text. Undefined
 * where none does; of a single item of the text that has no such field.
 */
export function identityOf({ ours, base, theirs }: Lists): ((item: unknown) => string | undefined) | undefined {
  const written = [...base, ...theirs];
  if (written.length === 0 || !written.every(isGroup)) return undefined;
  const names = new Set(Object.keys(written[0] as Group).map(plainName));
  const candidates = [
    ...IDENTITY.filter((name) => names.has(name)),
    ...[...names].filter((name) => LIKE_IDENTITY.test(name)),
  ];
  let best: { readonly name: string; readonly found: number } | undefined;
  for (const name of new Set(candidates)) {
    const idsOf = (list: readonly unknown[]) => list.flatMap((item) => idOf(item, name) ?? []);
    const [own, ...others] = [ours, base, theirs].map(idsOf) as [string[], string[], string[]];
    const isWhole = others[0]!.length === base.length && others[1]!.length === theirs.length;
    const isUnique = [own, ...others].every((ids) => new Set(ids).size === ids.length);
    if (!isWhole || !isUnique) continue;
    const known = new Set(own);
    const found = others[0]!.filter((id) => known.has(id)).length;
    if (best === undefined || found > best.found) best = { name, found };
  }
  const { name } = best ?? {};
  return name === undefined ? undefined : (item) => idOf(item, name);
}

function idOf(item: unknown, name: string): string | undefined {
  const value = fieldOf(item, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/**
 * Pairs items of two lists: those of one identity, else those that are equal; and what is left between the same neighbours, as
 * many on both sides, is the same with another name.
 */
export function pairsOf(
  a: readonly unknown[],
  b: readonly unknown[],
  identity: ((item: unknown) => string | undefined) | undefined,
): Pairs {
  const keysOf = (list: readonly unknown[]) => {
    const counts = new Map<string, number>();
    return list.map((item) => {
      const id = identity?.(item);
      const key = id === undefined ? `= ${canonicalJson(item ?? null)}` : `id ${id}`;
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      return `${key} ${count}`;
    });
  };
  const places = new Map(keysOf(b).map((key, j) => [key, j]));
  const pairs = new Map<number, number>();
  keysOf(a).forEach((key, i) => {
    const j = places.get(key);
    if (j !== undefined) pairs.set(i, j);
  });
  return withNeighbours(pairs, a.length, b.length);
}

function withNeighbours(pairs: ReadonlyMap<number, number>, lengthA: number, lengthB: number): Pairs {
  const all = new Map(pairs);
  const taken = new Set(pairs.values());
  let [i, j] = [0, 0];
  for (const [x, y] of [...[...pairs].toSorted((one, other) => one[0] - other[0]), [lengthA, lengthB] as const]) {
    const free = Array.from({ length: Math.max(0, y - j) }, (_, k) => j + k).filter((one) => !taken.has(one));
    if (x - i === free.length) free.forEach((one, k) => all.set(i + k, one));
    [i, j] = [x + 1, Math.max(j, y + 1)];
  }
  return all;
}

/** Whether pairs come in the same order on both sides. */
export function isInOrder(pairs: Pairs): boolean {
  const sorted = [...pairs].toSorted((a, b) => a[0] - b[0]).map(([, to]) => to);
  return sorted.every((to, i) => i === 0 || sorted[i - 1]! < to);
}
