import { defineErrors } from '@superfluidity/core';

export const detectErrors = defineErrors({
  'SF-DETECT-DATA': {
    status: 422,
    title: 'What was observed cannot be used',
    hint: 'Values are numbers, times do not go back, and there is enough of both: see the reference of anomalies.',
  },
  'SF-DETECT-MODEL': {
    status: 422,
    title: 'A detector cannot be read, or is not for this',
    hint: 'Train it anew from data of the kind that it is to watch.',
  },
  'SF-DETECT-LIMIT': {
    status: 413,
    title: 'There is more than a detector handles',
    hint: 'Train on a part of it, or with fewer letters.',
  },
});

/** Bounds of detection. */
export const detectLimits = {
  /** Values that one detector learns from. */
  values: 50_000_000,
  sequences: 1_000_000,
  /** Letters of an alphabet of values, and names of one of names. */
  letters: 1_000,
  names: 65_535,
  /** Values from which quantiles and k-means are found. */
  sample: 4_000,
  /** Parts of a season. */
  slots: 10_000,
  window: 1_000_000,
  /** Scores of normal behaviour that a detector keeps. */
  scores: 20_000,
  nodes: 4_000_000,
  /** Detectors at once, one for each tenant, and the symbols that each learns from. */
  tenants: 1_000,
  learnt: 1_000_000,
} as const;
