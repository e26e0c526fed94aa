/** The bounds of this package, in one place. */
export const limits = {
  stepTimeoutMs: 120_000,
  /** Attempts of a step that names no policy. */
  retryDelayMaxMs: 30_000,
  /** Steps of a saga that run at the same time. */
  stepsAtOnce: 256,
  undoAttempts: 6,
  undoDelayMs: 200,
  undoDelayMaxMs: 5_000,
  /** How long `shutdown` waits for steps that are under way. */
  shutdownMs: 10_000,
  /** A peer that was not heard of for so long is taken over. */
  leaseMs: 4_000,
  heartbeatMs: 1_000,
  /** How often what a notification should have told is looked up anyhow. */
  pollMs: 1_000,
  /** Wait before the database is asked again for what a run cannot go on without. */
  databaseRetryMs: 250,
  /** How often the end of a run on another server is looked for. */
  resultPollMs: 200,
  /** Runs listed in one query. */
  pageSize: 500,
} as const;
