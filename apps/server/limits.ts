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
  /** How long shutdown waits before it ends the process anyway. */
  shutdownMs: 10_000,
  freeBytesMin: 16 * 1024 * 1024,
} as const;
