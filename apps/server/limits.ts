/** The bounds of this app, in one place. */
export const limits = {
  bodyBytes: 60_000_000,
  /** Of a body that is refused, so much is still taken off the wire: a caller that writes does not read the refusal. */
  discardedBytes: 300_000_000,
  /** Per user, or per address where there is none. */
  requestsPerMinute: 12_000,
  /** Users and addresses whose requests are counted at a time. */
  rateKeys: 5_000,
  compression: { leastBytes: 4_096, atOnce: 8 },
  streams: 250,
  /** How often it is looked whether the reader of a stream may still read it. */
  streamAccessMs: 10_000,
  /** Comments keep proxies from closing a silent stream, and tell us that the reader is gone. */
  keepAliveMs: 15_000,
  /** A reader that takes nothing for so long is cut off; it resumes where it was with `Last-Event-ID`. */
  stalledStreamMs: 30_000,
  terminals: {
    atOnce: 50,
    perUser: 8,
    /** From the connection to the message that says what to open. */
    openMs: 10_000,
    /** Without a key pressed. */
    idleMs: 30 * 60_000,
    longestMs: 12 * 3_600_000,
    /** Who does not answer from one to the next is gone. */
    pingMs: 15_000,
    /** How often it is asked whether the token still opens it. */
    recheckMs: 15_000,
    /** What is kept of an end that is being told. */
    closeMs: 2_000,
    /** How long one whose connection was lost waits to be joined anew, and what of it is shown again then. */
    keepMs: 30_000,
    replayBytes: 64 << 10,
  },
  /** How long shutdown waits before it ends the process anyway. */
  shutdownMs: 10_000,
  freeBytesMin: 16 * 1024 * 1024,
} as const;
