import type { ExperimentResult, Sample } from './results.ts';
import { median } from './statistics.ts';

/** What the median of absolute deviations of a normal distribution is multiplied by to give its standard deviation. */
const MAD = 1.482602;
/** The same for the mean of absolute deviations: the square root of pi / 2. */
const MEAN_DEVIATION = 1.253314;

/**
 * Leaves out samples of which a metric lies farther from the median of its configuration than `factor` standard deviations,
 * estimated from the median of absolute deviations, or from their mean where more than half of the values are equal (Iglewicz
 * and Hoaglin 1993: modified z-score, 3.5). Samples of one configuration are held against each other only: what differs between
 * configurations is what is looked for. O(n log n).
 */
export function withoutOutliers(
  results: readonly ExperimentResult[],
  metrics: readonly string[],
  factor: number,
): { readonly results: readonly ExperimentResult[]; readonly removed: number } {
  if (factor === 0) return { results, removed: 0 };
  const byConfiguration = Map.groupBy(results, ({ configuration }) => configuration);
  const out = new Set<Sample>();
  for (const group of byConfiguration.values()) {
    const samples = group.flatMap((one) => one.samples);
    for (const metric of metrics) {
      const values = samples.map((sample) => sample.metrics[metric]!);
      const middle = median(values);
      const away = values.map((value) => Math.abs(value - middle));
      const mad = MAD * median(away);
      const deviation = mad > 0 ? mad : (MEAN_DEVIATION * away.reduce((a, b) => a + b, 0)) / away.length;
      for (const [i, sample] of samples.entries()) if (away[i]! > factor * deviation) out.add(sample);
    }
  }
  const kept = results.map((one) => ({ ...one, samples: one.samples.filter((sample) => !out.has(sample)) }));
  return { results: kept.filter(({ samples }) => samples.length > 0), removed: out.size };
}
