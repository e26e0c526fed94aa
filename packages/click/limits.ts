/** Bounds of one configuration. */
export const clickLimits = {
  /** Compound elements and groups inside each other, as they are written and as they are used. */
  nesting: 100,
  /** Elements and connections, after compound elements have been taken apart. */
  parts: 300_000,
  /** Of names, arguments and values of variables, as often as they are made anew when compound elements are taken apart. */
  characters: 16_000_000,
  /** Mistakes after which a reader that goes on behind each of them stops. */
  mistakes: 50,
} as const;
