/** The bounds of this package, in one place. */
export const limits = {
  /** Connections of one server's pool. PGlite has one, always. */
  poolSize: 12,
  connectTimeoutMs: 5_000,
  /** A statement that takes longer is stopped by the server. */
  statementTimeoutMs: 60_000,
  /** A transaction left open longer is rolled back by the server and its locks are released. */
  idleInTransactionMs: 60_000,
  /** How often a transaction is tried when it loses a deadlock or a serialization conflict. */
  transactionAttempts: 5,
  /** PostgreSQL allows 8000 bytes in a notification (manual, NOTIFY). */
  notificationBytes: 7_900,
  /** Wait between attempts to reach the server again for notifications. */
  listenRetryMs: 500,
  /** An embedded server that is not up by then will not come up. */
  embeddedStartMs: 30_000,
  embeddedStopMs: 15_000,
} as const;
