import { NO_CLASS, type SlaClass } from '../config/characterisation.ts';
import { satisfies } from '../config/comparator.ts';
import { metricsOf, type ExperimentResult, type Sample } from './results.ts';

type Metrics = Sample['metrics'];

export function keeps(metrics: Metrics, { bounds }: SlaClass): boolean {
  return bounds.every(({ metric, comparisons }) => comparisons.every((each) => satisfies(metrics[metric]!, each)));
}

/** The first class whose bounds are kept, or `None`: on a bound, and between classes, there is no class. */
export function labelOf(metrics: Metrics, classes: readonly SlaClass[]): string {
  return classes.find((one) => keeps(metrics, one))?.name ?? NO_CLASS;
}

/** The label that most samples have; of equals the worse one, which is the later class or none. */
export function majorityLabel(samples: readonly Sample[], classes: readonly SlaClass[]): string {
  const counts = new Map<string, number>();
  for (const { metrics } of samples) {
    const label = labelOf(metrics, classes);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const order = [...classes.map(({ name }) => name), NO_CLASS];
  return order.reduce((best, name) => ((counts.get(name) ?? 0) >= (counts.get(best) ?? 0) ? name : best));
}

/**
 * Whether a metric should be low: the first class that bounds it says so by what it bounds, above or below (the classes of a
 * file begin with the best one).
 */
export function shouldBeLow(metric: string, classes: readonly SlaClass[]): boolean {
  for (const { bounds } of classes) {
    const comparisons = bounds.filter((one) => one.metric === metric).flatMap((one) => one.comparisons);
    const above = comparisons.some(({ operator }) => operator.startsWith('<'));
    const below = comparisons.some(({ operator }) => operator.startsWith('>'));
    if (above !== below) return above;
  }
  return true;
}

/** An experiment as one sample: the most of what should be low, the least of what should be high (seed A3.9.4.1). */
export function worstOf(result: ExperimentResult, classes: readonly SlaClass[]): ExperimentResult {
  const metrics = metricsOf(classes).map((metric) => {
    const low = shouldBeLow(metric, classes);
    const worst = result.samples.reduce(
      (sofar, sample) => (low ? Math.max(sofar, sample.metrics[metric]!) : Math.min(sofar, sample.metrics[metric]!)),
      low ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    );
    return [metric, worst] as const;
  });
  return { ...result, samples: [{ atMs: result.samples.at(-1)!.atMs, metrics: Object.fromEntries(metrics) }] };
}
