import { canonicalJson } from '@superfluidity/core';

type Fields = Readonly<Record<string, unknown>>;

/** What makes `after` of `before` as a JSON Merge Patch (RFC 7396); undefined when they are alike. No value in them is null. */
export function mergePatch(before: Fields, after: Fields): Fields | undefined {
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(before))
    if (after[name] === undefined && before[name] !== undefined) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const was = before[name];
    if (isFields(value) && isFields(was)) {
      const inner = mergePatch(was, value);
      if (inner !== undefined) patch[name] = inner;
    } else if (was === undefined || canonicalJson(was) !== canonicalJson(value)) patch[name] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
