import { defineErrors } from '@superfluidity/core';

export const characteriseErrors = defineErrors({
  'SF-CHARACTERISE-CONFIG': {
    status: 422,
    title: 'The configuration of a characterisation cannot be used',
    hint: 'docs/guides/characterise.md has every field with an example.',
  },
  'SF-CHARACTERISE-SAMPLES': {
    status: 422,
    title: 'What was measured cannot be used',
    hint: 'Samples are numbers from 0 on, in the order of their time, with every metric of the classes. Measure that experiment again.',
  },
  'SF-CHARACTERISE-EMPTY-CLASS': {
    status: 422,
    title: 'Nothing that was measured falls into a class',
    hint: 'No configuration achieves it, or its bounds are wrong. Ask for the other classes with --partial.',
  },
  'SF-CHARACTERISE-ONE-CLASS': {
    status: 422,
    title: 'Everything that was measured falls into one class',
    hint: 'The parameters make no difference for these classes: take the cheapest configuration, or ask for other bounds.',
  },
  'SF-CHARACTERISE-BINDING': {
    status: 422,
    title: 'A configuration cannot be written into the descriptor',
    hint: 'Say under `bindings` what each deployment parameter changes, and in which units.',
  },
  'SF-CHARACTERISE-USE-CASE': {
    status: 422,
    title: 'The traffic of an experiment cannot be made',
    hint: 'Use cases are http, udp, throughput, rfc2544, iperf3, wrk, telemetry, simulated, and external: the last one starts a program of yours.',
  },
  'SF-CHARACTERISE-EXPERIMENT': {
    status: 502,
    title: 'An experiment failed',
    hint: 'Its cause is shown. What was finished is kept: the same command goes on from there.',
  },
  'SF-CHARACTERISE-JOURNAL': {
    status: 409,
    title: 'The file of results cannot be gone on with',
    hint: 'It is of another configuration, damaged before its end, or another run is at it: name another file.',
  },
  'SF-CHARACTERISE-LIMIT': {
    status: 413,
    title: 'The characterisation is larger than what is handled',
    hint: 'Take fewer parameters or values, or shorter runs.',
  },
  'SF-CHARACTERISE-SEARCH': {
    status: 422,
    title: 'A search for throughput cannot be made like this',
    hint: 'Rates and durations are above 0, the lowest rate is below the highest, and ratios lie between 0 and 1.',
  },
});

/** Bounds of one characterisation. */
export const characteriseLimits = {
  parameters: 32,
  /** Of one parameter. */
  values: 64,
  /** Permutations of all parameters. */
  configurations: 4_096,
  iterations: 1_000,
  experiments: 20_000,
  classes: 16,
  /** Conditions on one metric in one class. */
  conditions: 8,
  /** Of the classes and of one sample. */
  metrics: 64,
  samplesPerExperiment: 100_000,
  samples: 2_000_000,
  /** Of a metric, a cost or a bound: sums of them stay exact enough. */
  amount: 1e15,
  /** Phases of one ramp, and the steps of all of them. */
  phases: 64,
  steps: 100_000,
  rampMs: 86_400_000,
  /** Requests of one run, and those whose answer is waited for at once. */
  requests: 100_000_000,
  inFlight: 100_000,
  /** What a program may print in one run. */
  outputBytes: 256 * 2 ** 20,
  lineBytes: 64 * 2 ** 10,
  /** The same of a tool whose whole output is read at once. */
  toolOutputBytes: 64 * 2 ** 20,
  /** Runs of a tool in one stress. */
  toolRuns: 1_000,
  /** File of results. */
  journalBytes: 2 * 2 ** 30,
  /** Parameters that are taken to matter together before active sampling falls back on every configuration for itself. */
  relevant: 4,
  /** Sets of parameters that are weighed against each other. */
  hypotheses: 10_000,
  neighbours: 16,
  /** Units whose use of the infrastructure becomes metrics of samples, and readings of it in one experiment. */
  usageUnits: 8,
  usageReadings: 100_000,
  /** Trials of one search for throughput. */
  trials: 10_000,
  /** Of one stream whose times are all kept. */
  datagrams: 20_000_000,
  /** Experiments in a row that fail before a run gives up. */
  failuresInARow: 3,
} as const;
