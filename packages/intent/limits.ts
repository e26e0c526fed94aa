/** Every bound of this room. */
export const intentLimits = {
  /** Instances of one unit at one site that are looked at; the others are taken to be like them. */
  instances: 2,
  /** All policies of one service together. */
  milliseconds: 10_000,
  /** To hold what is there against what was meant: all units of one service together. */
  likenessMs: 5_000,
  /** Differences between the two that a report keeps. */
  differences: 3,
  /** Beyond its own limit, before a thread that does not answer is ended. */
  graceMs: 5_000,
  /** Memory of the thread that proves. One that needs more is ended, and what it was asked is not known. */
  heapMiB: 2_048,
  /** A thread that nobody asks anything ends after this. */
  idleMs: 900_000,
  /** Paths that a report keeps of each policy. */
  paths: 3,
  /** Ways that are looked for when somebody asks where packets go, and those that are told. */
  waysFound: 2_000,
  waysTold: 24,
  /** Reports that are remembered, by what they are about. */
  reports: 64,
} as const;
