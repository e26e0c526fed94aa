/** Bounds of one question. Whatever hits one is answered `unknown`, with the name of the bound. */
export interface Limits {
  /** Finished and unfinished paths. */
  readonly paths: number;
  /** Ports on one path. */
  readonly hops: number;
  /** Instructions executed, over all paths. */
  readonly instructions: number;
  readonly milliseconds: number;
  /** Nodes of all decision diagrams of one question: 16 bytes each, and as much again while they are moved to a larger place. */
  readonly diagramNodes: number;
  /** Ranges that a path tells of one value; of more it tells none. */
  readonly ranges: number;
  /** For one question to the solver of formulas. */
  readonly formulaMilliseconds: number;
}

export const defaultLimits: Limits = {
  paths: 200_000,
  hops: 1_000,
  instructions: 100_000_000,
  milliseconds: 60_000,
  diagramNodes: 20_000_000,
  ranges: 2_000_000,
  formulaMilliseconds: 5_000,
};

/** Bounds of what is read. */
export const inputLimits = {
  files: 10_000,
  fileBytes: 512 * 1024 * 1024,
  lines: 10_000_000,
  lineLength: 64 * 1024,
  nesting: 100,
} as const;

export type Bound = keyof Limits | keyof typeof inputLimits;
