/** Every bound of this package. */
export interface Limits {
  /** One attempt, from the first byte sent to the last one read. Bulk creation of ports takes tens of seconds. */
  readonly requestMs: number;
  readonly connectMs: number;
  /** A call with all its attempts: no attempt begins later than this. */
  readonly callMs: number;
  readonly attempts: number;
  /** After 500, which is a defect or a fault of the moment. */
  readonly attemptsOnDefect: number;
  readonly backOff: { readonly delayMs: number; readonly factor: number; readonly delayMaxMs: number };
  /** What a service asks for in `Retry-After` is believed up to this. */
  readonly retryAfterMaxMs: number;
  /** A thing that other work is under way on is waited for as long as this. */
  readonly busyMs: number;
  /** Calls under way at a time, for each service: one API worker answers them one after another anyway. */
  readonly concurrency: number;
  /** Calls that wait for their turn, for each service. */
  readonly queue: number;
  readonly answerBytes: number;
  /** A token is renewed when it has less than this to live, or a tenth of its life. */
  readonly renewBeforeMs: number;
  /** Credentials that Keystone refused are not tried again within this: it may lock the user. */
  readonly refusedLoginMs: number;
  /** A connection that nothing uses is given up after this; services close theirs later. */
  readonly idleConnectionMs: number;
}

export const LIMITS = {
  requestMs: 120_000,
  connectMs: 5_000,
  callMs: 300_000,
  /** With the pauses between them some 20 s: a service that restarts is back by then. */
  attempts: 9,
  attemptsOnDefect: 3,
  backOff: { delayMs: 100, factor: 2, delayMaxMs: 5_000 },
  retryAfterMaxMs: 30_000,
  busyMs: 60_000,
  concurrency: 8,
  queue: 10_000,
  answerBytes: 64 * 2 ** 20,
  renewBeforeMs: 60_000,
  refusedLoginMs: 5_000,
  idleConnectionMs: 3_000,
  /** How often a creation is asked for whose answers get lost, and when it is looked whether it was done. */
  creations: 3,
  looksAfterMs: [200, 1_000, 3_000],
  /** What an error quotes of an answer, and of a page that is no JSON. */
  quoteCharacters: 2_000,
  pageCharacters: 300,
  pageSize: 500,
  pages: 1_000,
  /** Of clouds.yaml. */
  configCharacters: 2 ** 20,
  configAliases: 100,
  /** Stacks within stacks, as deep as Heat itself allows by default. */
  nestedStacks: 5,
} as const;
