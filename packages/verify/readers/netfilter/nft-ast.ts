/**
 * The JSON of `nft -j list ruleset` (libnftables-json(5)), as far as it is read. The text of `nft list ruleset` is parsed to
 * the same, so that both mean the same.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** One command object of the listing, `{"rule": {...}}`, and where it stands. */
export interface Listed {
  readonly kind: string;
  readonly value: JsonObject;
  readonly line: number;
  readonly text: string;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The one member of `{"payload": {...}}`. */
export function only(value: Json | undefined): readonly [string, Json] | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length >= 1 ? entries[0] : undefined;
}
