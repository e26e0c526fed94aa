/** Every bound of this package. */
export const LIMITS = {
  /** One attempt, from the first byte sent to the last one read. Bulk creation of ports takes tens of seconds. */
  requestMs: 120_000,
  connectMs: 5_000,
  /** A call with all its attempts. */
  attempts: 5,
  backOff: { delayMs: 200, factor: 2, delayMaxMs: 5_000 },
  /** What a service asks for in `Retry-After` is believed up to this. */
  retryAfterMaxMs: 30_000,
  /** Calls under way at a time, for each service: one API worker answers them one after another anyway. */
  concurrency: 8,
  /** Calls that wait for their turn. */
  queue: 10_000,
  answerBytes: 64 * 2 ** 20,
  /** What an error quotes of an answer. */
  quoteCharacters: 2_000,
  pageSize: 500,
  pages: 1_000,
  /** A token is renewed when it has less than this to live. */
  renewBeforeMs: 60_000,
} as const;
