/** The bounds of this room, in one place. */
export const limits = {
  /** What was revoked, disabled or ended on another server of the same database opens this one for at most so long. */
  cacheMs: 5_000,
  cacheMax: 1_000,
  /** Twelve hours: a working day. A session is not made longer by being used. */
  sessionMs: 12 * 60 * 60_000,
  /** The oldest goes when a user signs in in one more browser. */
  sessionsOfUser: 20,
  agentLength: 200,
  password: { lengthMin: 12, lengthMax: 256 },
  /** Hashes at a time, each of which takes 32 MiB; and how many wait for their turn. */
  hashing: { atOnce: 2, waiting: 16 },
  /** Passwords that may be wrong within the window. A name alone has the widest bound: strangers could else lock it. */
  attempts: { windowMs: 5 * 60_000, ofNameAtAddress: 5, ofAddress: 30, ofName: 100, keysMax: 10_000 },
} as const;
