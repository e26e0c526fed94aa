import {
  type Column,
  classify,
  describeConditions,
  extractRules,
  makeTable,
  nominal,
  numeric,
  trainC45,
} from '@superfluidity/learn';
import { NO_CLASS, type SlaClass } from '../config/characterisation.ts';
import { isUsageMetric } from '../run/usage.ts';
import { labelOf } from './label.ts';
import type { ExperimentResult } from './results.ts';

/** What the infrastructure tells of the class of samples: the mapping of KPIs of seed D6.1, A3.9.5. */
export interface UsageAnalysis {
  readonly rules: readonly UsageRule[];
  /** Share of the samples of which it tells the class. */
  readonly accuracy: number;
  readonly samples: number;
}

export interface UsageRule {
  /** `throttled.video > 0.4` */
  readonly text: string;
  readonly label: string;
  readonly samples: number;
  readonly errors: number;
  readonly metrics: readonly string[];
}

/** Rows beyond which every so manieth sample is learned from: trees do not get better by more of the same. */
const ROWS = 20_000;

/** Undefined where nothing of the infrastructure was measured. O(s m log s) for s samples of m metrics. */
export function learnUsage(
  results: readonly ExperimentResult[],
  classes: readonly SlaClass[],
): UsageAnalysis | undefined {
  const all = results.flatMap(({ samples }) => samples);
  const step = Math.ceil(all.length / ROWS);
  const samples = all.filter((_, i) => i % step === 0);
  const names = [...new Set(samples.flatMap(({ metrics }) => Object.keys(metrics).filter(isUsageMetric)))].toSorted();
  if (names.length === 0) return undefined;
  const labels = samples.map(({ metrics }) => labelOf(metrics, classes));
  // What a sample does not have is missing: C4.5 weighs it by the others.
  const columns = names.map(
    (name): Column =>
      numeric(
        name,
        samples.map(({ metrics }) => metrics[name] ?? Number.NaN),
      ),
  );
  const target = nominal('class', labels, [...classes.map(({ name }) => name), NO_CLASS]);
  const table = makeTable(columns);
  const tree = trainC45(table, target);
  const told = classify(tree, table);
  const set = extractRules(tree, table, target);
  return {
    samples: samples.length,
    accuracy: labels.filter((label, i) => tree.classes[told[i]!] === label).length / labels.length,
    rules: set.rules.map((rule) => ({
      text: describeConditions(rule.conditions, set.columns),
      label: set.classes[rule.label]!,
      samples: rule.covered,
      errors: rule.errors,
      metrics: [...new Set(rule.conditions.map(({ column }) => set.columns[column]!.name))],
    })),
  };
}
