import { canonicalJson } from '@superfluidity/core';

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

/** Both together; what is written wins over what was carried, and lists of requirements are joined. */
export function over(carried: Group, written: Group): Group {
  const merged: Record<string, unknown> = { ...carried, ...written };
  for (const [name, value] of Object.entries(carried)) {
    const other = written[name];
    if (isGroup(value) && isGroup(other)) merged[name] = over(value, other);
    else if (name === 'requirements' && Array.isArray(value) && Array.isArray(other)) {
      merged[name] = [...(other as readonly unknown[]), ...(value as readonly unknown[])];
    }
  }
  return merged;
}

/** What a thing carries of this dialect. */
export function carriedOf(thing: { readonly carried?: Group }): Group {
  return groupAt(thing.carried, 'tosca');
}

/** To be spread into a native thing; nothing where there is nothing to carry. */
export function carry(fields: Group): { carried?: Record<string, unknown> } {
  const some = Object.entries(fields).filter(([, value]) => {
    if (value === undefined) return false;
    return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
  });
  return some.length === 0 ? {} : { carried: { tosca: Object.fromEntries(some) } };
}
