import { smallest, SuperfluidityError } from '@superfluidity/core';
import {
  type Characterisation,
  type Configuration,
  configurationsOf,
  configurationText,
  costOf,
  NO_CLASS,
  type Parameter,
} from '../config/characterisation.ts';
import { keeps, labelOf, worstOf } from './label.ts';
import { withoutOutliers } from './outliers.ts';
import { checkResults, type ExperimentResult, metricsOf } from './results.ts';
import { learn, type LearnedRule } from './rules.ts';
import { quantile, wilson } from './statistics.ts';
import { learnUsage, type UsageAnalysis } from './usage.ts';

export interface Analysis {
  /** For the orchestrator: the configuration of each class, by its name, as seed A3.9.6 has it. */
  readonly templates: Readonly<Record<string, Configuration>>;
  readonly classes: readonly ClassAnalysis[];
  readonly configurations: readonly ConfigurationAnalysis[];
  readonly rules: readonly LearnedRule[];
  /** Where the infrastructure was measured: what it tells. */
  readonly usage?: UsageAnalysis;
  readonly metrics: readonly string[];
  readonly experiments: number;
  readonly samples: number;
  readonly outliers: number;
  /** Share of samples that have the label which the tree gives to their configuration. */
  readonly accuracy: number;
  readonly warnings: readonly string[];
}

export interface ClassAnalysis {
  readonly name: string;
  readonly samples: number;
  /** Measured configurations that may be chosen. */
  readonly candidates: number;
  /** Index of the cheapest of them. */
  readonly chosen?: number;
  readonly cost?: number;
  /** Parameters by which the class is reached: of the rule's conditions, those for which more is paid than the least. */
  readonly keys: readonly string[];
  /** Share of the samples of the chosen configuration that keep the bounds of the class, and its interval of 95 %. */
  readonly share?: number;
  readonly interval?: readonly [number, number];
}

export interface ConfigurationAnalysis {
  readonly values: Configuration;
  readonly text: string;
  readonly cost: number;
  /** Its own where it was measured often enough to be sure, else that of the tree. */
  readonly label: string;
  /** Whether the tree says otherwise. */
  readonly exception: boolean;
  /** 0: it was not measured. */
  readonly samples: number;
  /** Share of its samples with each label. */
  readonly shares: Readonly<Record<string, number>>;
  /** Of each metric: the 5th, 25th, 50th, 75th and 95th percentile. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
}

export interface AnalyseOptions {
  /** Classes that nothing falls into are left out with a warning, and are no error. */
  readonly partial?: boolean;
}

/**
 * From samples to the cheapest configuration of each class (seed A3.9.4.2): outliers out, labels, C4.5, rules, costs. Only
 * configurations that were measured are chosen; of equal cost the first of the file. Rejects with SF-CHARACTERISE-SAMPLES,
 * -LIMIT, -ONE-CLASS and -EMPTY-CLASS. O(s log s + s p d) for s samples, p parameters and a tree of depth d.
 */
export function analyse(
  characterisation: Characterisation,
  given: readonly ExperimentResult[],
  { partial = false }: AnalyseOptions = {},
): Analysis {
  const { parameters, classes, analysis } = characterisation;
  const configurations = configurationsOf(parameters);
  const metrics = metricsOf(classes);
  checkResults(given, configurations.length, metrics);
  const { results: kept, removed } = withoutOutliers(given, metrics, analysis.outliers);
  const results = analysis.per === 'experiment' ? kept.map((one) => worstOf(one, classes)) : kept;

  const counts = countLabels(results, characterisation, configurations.length);
  const warnings = emptyClasses(characterisation, counts, configurations, partial);
  const { labels: predicted, rules } = learn(results, configurations, parameters, classes);
  const labels = predicted.map((label, i) => ownLabel(counts[i]!) ?? label);
  const costs = configurations.map((one) => costOf(one, parameters));
  const measured = counts.map((one) => [...one.values()].reduce((a, b) => a + b, 0));
  const names = [...classes.map(({ name }) => name), NO_CLASS];
  const shares = keepingShares(results, characterisation, configurations.length);

  const analysed = names.map((name): ClassAnalysis => {
    const samples = counts.reduce((sum, one) => sum + (one.get(name) ?? 0), 0);
    const own = classes.findIndex((one) => one.name === name);
    const enough = (i: number) => own < 0 || shares[i]![own]! >= analysis.probability * measured[i]!;
    const candidates = configurations.flatMap((_, i) =>
      labels[i] === name && measured[i]! > 0 && enough(i) ? [i] : [],
    );
    const [first] = candidates;
    if (first === undefined) return { name, samples, candidates: 0, keys: [] };
    const chosen = candidates.reduce((best, i) => (costs[i]! < costs[best]! ? i : best), first);
    const keeping = own < 0 ? (counts[chosen]!.get(name) ?? 0) : shares[chosen]![own]!;
    return {
      name,
      samples,
      candidates: candidates.length,
      chosen,
      cost: costs[chosen]!,
      keys: keyParameters(chosen, configurations[chosen]!, parameters, rules),
      share: keeping / measured[chosen]!,
      interval: wilson(keeping, measured[chosen]!),
    };
  });
  for (const { name, chosen, samples } of analysed) {
    if (chosen === undefined && samples > 0) {
      const why = analysis.probability > 0 ? ` with probability ${analysis.probability}` : '';
      warnings.push(`no configuration that was measured is in ${name}${why}, but ${samples} samples are`);
    }
  }
  const right = predicted.reduce((sum, label, i) => sum + (counts[i]!.get(label) ?? 0), 0);
  const total = measured.reduce((a, b) => a + b, 0);
  const usage = learnUsage(kept, classes);
  return {
    templates: Object.fromEntries(
      analysed.flatMap(({ name, chosen }) => (chosen === undefined ? [] : [[name, configurations[chosen]!]])),
    ),
    classes: analysed,
    configurations: configurations.map((values, i) => ({
      values,
      text: configurationText(values, parameters),
      cost: costs[i]!,
      label: labels[i]!,
      exception: labels[i] !== predicted[i],
      samples: measured[i]!,
      shares: Object.fromEntries(names.map((name) => [name, (counts[i]!.get(name) ?? 0) / Math.max(1, measured[i]!)])),
      metrics: measured[i] === 0 ? {} : percentiles(results, i, metrics),
    })),
    rules,
    ...(usage === undefined ? {} : { usage }),
    metrics,
    experiments: given.length,
    samples: total,
    outliers: removed,
    accuracy: right / total,
    warnings,
  };
}

type Counts = readonly ReadonlyMap<string, number>[];

function countLabels(
  results: readonly ExperimentResult[],
  { classes }: Characterisation,
  configurations: number,
): Counts {
  const counts = Array.from({ length: configurations }, () => new Map<string, number>());
  for (const { configuration, samples } of results) {
    for (const { metrics } of samples) {
      const label = labelOf(metrics, classes);
      counts[configuration]!.set(label, (counts[configuration]!.get(label) ?? 0) + 1);
    }
  }
  return counts;
}

/** Of each configuration: how many samples keep the bounds of each class, whether an earlier class has them or not. */
function keepingShares(
  results: readonly ExperimentResult[],
  { classes }: Characterisation,
  configurations: number,
): readonly (readonly number[])[] {
  const all = Array.from({ length: configurations }, () => classes.map(() => 0));
  for (const { configuration, samples } of results) {
    for (const { metrics } of samples) {
      for (const [i, one] of classes.entries()) if (keeps(metrics, one)) all[configuration]![i]! += 1;
    }
  }
  return all;
}

/**
 * The label of most samples of a configuration, where it is surely (95 %) that of more than half of them: a tree that was
 * pruned, or that has no test with a gain (exclusive or), does not overrule what was measured.
 */
function ownLabel(counts: ReadonlyMap<string, number>): string | undefined {
  const all = [...counts.values()].reduce((a, b) => a + b, 0);
  for (const [label, count] of counts) if (wilson(count, all)[0] > 0.5) return label;
  return undefined;
}

function emptyClasses(
  { classes, parameters }: Characterisation,
  counts: Counts,
  configurations: readonly Configuration[],
  partial: boolean,
): string[] {
  const there = new Set(counts.flatMap((one) => [...one.keys()]));
  const doing = 'learn from what was measured';
  if (there.size === 1) {
    const costs = configurations.map((one, i) =>
      counts[i]!.size === 0 ? Number.POSITIVE_INFINITY : costOf(one, parameters),
    );
    const cheapest = configurations[costs.indexOf(costs.reduce((a, b) => Math.min(a, b)))]!;
    const reason = `every sample is in ${[...there][0]}; the cheapest configuration is ${configurationText(cheapest, parameters)}`;
    throw new SuperfluidityError('SF-CHARACTERISE-ONE-CLASS', { doing, reason });
  }
  const empty = classes.flatMap(({ name }) => (there.has(name) ? [] : [name]));
  if (empty.length > 0 && !partial) {
    const reason = `no sample is in ${empty.join(', ')}`;
    throw new SuperfluidityError('SF-CHARACTERISE-EMPTY-CLASS', { doing, reason, data: { classes: empty } });
  }
  return empty.map((name) => `no sample is in ${name}: it has no configuration`);
}

function keyParameters(
  index: number,
  chosen: Configuration,
  parameters: readonly Parameter[],
  rules: readonly LearnedRule[],
): readonly string[] {
  const rule = rules.find((one) => one.configurations.includes(index));
  return (rule?.parameters ?? []).filter((name) => {
    const { values, costs } = parameters.find((one) => one.name === name)!;
    return costs[values.indexOf(chosen[name]!)]! > smallest(costs);
  });
}

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

function percentiles(results: readonly ExperimentResult[], configuration: number, metrics: readonly string[]) {
  const samples = results.flatMap((one) => (one.configuration === configuration ? one.samples : []));
  return Object.fromEntries(
    metrics.map((metric) => {
      const sorted = Float64Array.from(samples, (sample) => sample.metrics[metric]!).sort();
      return [metric, SHARES.map((share) => quantile(sorted, share))];
    }),
  );
}
