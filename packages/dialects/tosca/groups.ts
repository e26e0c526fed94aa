import { groupAt, isGroup, type Group } from '../groups.ts';

export * from '../groups.ts';

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
