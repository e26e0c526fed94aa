/** Rows beyond the edges, so that scrolling shows no gaps before the next frame. */
const MARGIN_ROWS = 8;

/** Which rows of a long list of rows of one height are to be drawn. */
export function windowOf(
  seen: { readonly top: number; readonly height: number },
  rowHeight: number,
  count: number,
): { readonly first: number; readonly last: number } {
  // Always from an even row on: what is coloured row by row stays as it is.
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - MARGIN_ROWS) & ~1;
  const last = Math.min(count, Math.ceil((seen.top + seen.height) / rowHeight) + MARGIN_ROWS);
  return { first: Math.min(first, Math.max(0, count - 1)), last };
}
