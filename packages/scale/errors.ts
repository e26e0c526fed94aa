import { defineErrors } from '@superfluidity/core';

export const scaleErrors = defineErrors({
  'SF-SCALE-INPUT': {
    status: 422,
    title: 'A model, a policy, measurements or a trace cannot be used',
    hint: 'See the reference of scaling: it lists the fields and columns, their units and bounds.',
  },
  'SF-SCALE-STATES': {
    status: 413,
    title: 'The model has more states than are solved exactly',
    hint: 'Solve it with --method abstract, or lower queues or buffer. VMs that are unlike are solved by name: five or six of them.',
  },
});

/** Bounds of this room. */
export const scaleLimits = {
  queues: 10_000,
  buffer: 1_000,
  /** Rates, costs and times: sums of products of them stay exact enough for the bounds that are proven. */
  amount: 1e9,
  /** States that are solved; the table of moves takes about 150 bytes for each. */
  fullStates: 20_000_000,
  lumpedStates: 10_000_000,
  abstractStates: 10_000_000,
  programmeStates: 10_000,
  /** Solved while a decision waits: mostly under 10 ms, some tens at worst. */
  adaptiveStates: 1_000,
  /** States of one VM: a choice at an arrival is kept in seven bits. */
  vmStates: 60,
  /** Sweeps over all states, and single states computed in all of them, before the best policy so far is the answer. */
  sweeps: 100_000,
  stateUpdates: 5e9,
  /** Steps of the iteration for the long-run share of each state. */
  stationarySteps: 200_000,
  /** Events of one simulation. */
  events: 1_000_000_000,
  /** Rows of measurements and points of traces; and the fewest that are learned from. */
  rows: 1_000_000,
  trainingRows: 50,
  replicas: 10_000,
  /** Steps of a comparison on a trace. */
  traceSteps: 5_000_000,
  /** Steps ahead of now that a season is asked about. */
  stepsAhead: 1_440,
} as const;
