export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON with sorted keys: equal values give equal text, so that text can be compared, hashed and kept as a golden file.
 * Without the fields named in `omit`, at any depth.
 */
export function canonicalJson(value: unknown, omit: ReadonlySet<string> = NOTHING): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .filter(([key]) => !omit.has(key))
            .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
        )
      : inner,
  );
}

const NOTHING: ReadonlySet<string> = new Set();
