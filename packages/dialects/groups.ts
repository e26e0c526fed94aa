import { canonicalJson } from '@superfluidity/core';

/** Plain values of descriptors whose shape nobody vouches for: groups of fields, lists and scalars. */
export type Group = Readonly<Record<string, unknown>>;

export const isGroup = (value: unknown): value is Group =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export const groupAt = (value: unknown, ...path: readonly string[]): Group => {
  const inner = at(value, ...path);
  return isGroup(inner) ? inner : {};
};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, part) => {
    if (Array.isArray(inner)) return (inner as readonly unknown[])[Number(part)];
    return isGroup(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined;
  }, value);
}

/** The group without some fields, deep inside too; groups that have nothing left are gone. */
export function without(group: Group, ...paths: readonly (readonly string[])[]): Group {
  const entries = Object.entries(group).flatMap(([name, value]): [string, unknown][] => {
    const inner = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
    if (inner.length === 0) return [[name, value]];
    if (inner.some((path) => path.length === 0) || !isGroup(value)) return [];
    const left = without(value, ...inner);
    return Object.keys(left).length === 0 ? [] : [[name, left]];
  });
  return Object.fromEntries(entries);
}

/** What a group says beyond another: what both say alike is gone. */
export function beyond(group: Group, usual: Group): Group {
  const entries = Object.entries(group).flatMap(([name, value]): [string, unknown][] => {
    const other = usual[name];
    if (other === undefined) return [[name, value]];
    if (isGroup(value) && isGroup(other)) {
      const left = beyond(value, other);
      return Object.keys(left).length === 0 ? [] : [[name, left]];
    }
    return canonicalJson(value) === canonicalJson(other) ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** Whether two values say the same, whatever the order of their fields. */
export const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

/** Without what is undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const some = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(some) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A copy with another value at a path; undefined takes what is there away, and groups that have nothing left with it. */
export function put(group: Group, path: readonly string[], value: unknown): Group {
  const [name, ...rest] = path;
  if (name === undefined || (value === undefined && !Object.hasOwn(group, name))) return group;
  const { [name]: before, ...others } = group;
  if (rest.length === 0) return value === undefined ? others : { ...group, [name]: value };
  const inner = put(isGroup(before) ? before : {}, rest, value);
  if (value === undefined && Object.keys(inner).length === 0) return others;
  return { ...group, [name]: inner };
}
