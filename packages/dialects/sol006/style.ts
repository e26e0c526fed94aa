import type { Format } from '../dialect.ts';

/** The two forms of one information model (ETSI GS NFV-IFA 011 and 014): that of the standard, and what OSM made of it. */
export type Style = 'sol006' | 'osm';

/** What a thing carries of a style: fields by name. */
export type Fields = Readonly<Record<string, unknown>>;

export function isGroup(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function carriedIn(format: Format, { carried }: { readonly carried?: Fields }): Fields {
  const fields = carried?.[format];
  return isGroup(fields) ? fields : {};
}
