/** Bounds of what the controller and the daemons of nodes share. */
export const LIMITS = {
  /** One request to the API server, with its repetitions. */
  askMs: 30_000,
  /** Events that wait to be written: above it the newest are dropped, and counted. */
  eventsWaiting: 1_000,
  eventsAtOnce: 4,
  eventsPauseMs: 100,
  /** As long as pods wait for their KuryrPorts, and no longer than this, events that warn of nothing are not written. */
  eventsHeldMs: 2_000,
  /** Events whose repetitions are counted on one object. */
  eventsKnown: 4_096,
  /** The API server takes 1,024 characters of a message. */
  eventCharacters: 1_000,
  /** At the end: what is not written by then is dropped. Less than processes have to end in. */
  eventsCloseMs: 5_000,
} as const;
