/** Bounds of one configuration. */
export const clickLimits = {
  /** Compound elements and groups inside each other, as they are written. */
  nesting: 100,
  /** Elements and connections, after compound elements have been taken apart. */
  parts: 300_000,
  /** What is put in for variables, over all of the configuration. */
  characters: 16_000_000,
  /** Mistakes after which a reader that goes on behind each of them stops. */
  mistakes: 50,
} as const;
