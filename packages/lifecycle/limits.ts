/** Every bound of this room. */
export interface Limits {
  /** One call to a site outside an operation. */
  readonly adminCallMs: number;
  /** Attempts of a step whose failure may pass by itself. */
  readonly stepAttempts: number;
  readonly stepRetryMs: number;
  /** One attempt of a step: clouds take minutes to build a machine whose image is new to a host. */
  readonly stepMs: number;
  /** More of it for a stack. */
  readonly stackMs: number;
  /** How long the first change of a step waits for others before they are written. */
  readonly stepGatherMs: number;
  /** Between two looks at everything, besides those that events cause. */
  readonly reconcileMs: number;
  /** Between two looks whether an operation that is waited for has ended on another server. */
  readonly settlePollMs: number;
  /** Between two automatic operations on one service, doubled after each failure up to the maximum. */
  readonly healBackoffMs: number;
  readonly healBackoffMaxMs: number;
  /** How long an operation waits for a database that is away, and how often it asks meanwhile. */
  readonly databasePatienceMs: number;
  readonly databaseRetryMs: number;
  /** Between two readings of the output of units with telemetry. */
  readonly telemetryMs: number;
  /** Between two looks at what pools and units do, those that are kept of each, and the units that are looked at. */
  readonly watchMs: number;
  readonly poolLooks: number;
  readonly usageReadings: number;
  readonly unitsWatched: number;
  /** Of the looks at a pool, those that a list tells. */
  readonly looksTold: number;
  /** Between two looks whose turn it is to be decided on, and how many are decided on in one. */
  readonly scalingLookMs: number;
  readonly scalingAtOnce: number;
  /** Decisions of one unit that are kept. */
  readonly scalingDecisions: number;
  /** Of a file of a policy: a table of a million states, or a large model. */
  readonly scalingFileBytes: number;
  /** Of a service whose units are counted: those that are alone on their host, told one by one. */
  readonly unitsTold: number;
  /** Reports of characterisations that are kept. */
  readonly characterisations: number;
}

export const defaultLimits: Limits = {
  adminCallMs: 30_000,
  stepAttempts: 3,
  stepRetryMs: 200,
  stepMs: 600_000,
  stackMs: 3_600_000,
  stepGatherMs: 10,
  reconcileMs: 5_000,
  settlePollMs: 1_000,
  healBackoffMs: 1_000,
  healBackoffMaxMs: 300_000,
  databasePatienceMs: 600_000,
  databaseRetryMs: 500,
  telemetryMs: 100,
  watchMs: 10_000,
  poolLooks: 360,
  usageReadings: 180,
  unitsWatched: 200,
  looksTold: 60,
  scalingLookMs: 1_000,
  scalingAtOnce: 100,
  scalingDecisions: 4_000,
  scalingFileBytes: 20_000_000,
  unitsTold: 200,
  characterisations: 1_000,
};
