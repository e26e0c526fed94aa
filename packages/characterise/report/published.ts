import type { Analysis } from '../analysis/analyse.ts';
import { type Characterisation, type Configuration } from '../config/characterisation.ts';

/** Configurations that are told: the chosen and the cheapest ones; rules likewise the first. */
const CONFIGURATIONS = 200;
const RULES = 200;
const WARNINGS = 64;

interface PublishedRule {
  text: string;
  label: string;
  samples: number;
  errors: number;
}

/** A report as the control plane keeps it: everything that a page shows, and nothing of the single samples. */
export interface PublishedReport {
  service: string;
  experiments: number;
  samples: number;
  outliers: number;
  accuracy: number;
  useCase: string;
  parameters: string[];
  metrics: { name: string; bounds: number[] }[];
  classes: {
    name: string;
    samples: number;
    cost?: number;
    configuration?: Record<string, string | number | boolean>;
    keys: string[];
    share?: number;
    interval?: number[];
    descriptor?: string;
  }[];
  configurations: {
    text: string;
    cost: number;
    label: string;
    samples: number;
    chosen: boolean;
    metrics: Record<string, number[]>;
  }[];
  measured: number;
  all: number;
  rules: PublishedRule[];
  usage?: { accuracy: number; rules: PublishedRule[] };
  warnings: string[];
}

/** `descriptorOf` gives the native descriptor of a configuration, where there is a service to deploy. */
export function publishedReport(
  { serviceId, parameters, classes, useCase }: Characterisation,
  analysis: Analysis,
  descriptorOf: (configuration: Configuration) => string | undefined,
): PublishedReport {
  const chosen = new Set(analysis.classes.flatMap((one) => (one.chosen === undefined ? [] : [one.chosen])));
  const measured = analysis.configurations.map((one, i) => ({ one, i })).filter(({ one }) => one.samples > 0);
  const shown = measured
    .toSorted((a, b) => Number(chosen.has(b.i)) - Number(chosen.has(a.i)) || a.one.cost - b.one.cost || a.i - b.i)
    .slice(0, CONFIGURATIONS)
    .toSorted((a, b) => a.one.cost - b.one.cost || a.i - b.i);
  const bounds = (metric: string) => [
    ...new Set(
      classes.flatMap((one) =>
        one.bounds.filter((bound) => bound.metric === metric).flatMap((each) => each.comparisons.map((c) => c.bound)),
      ),
    ),
  ];
  const rules = (all: readonly PublishedRule[]) =>
    all.slice(0, RULES).map(({ text, label, samples, errors }) => ({ text, label, samples, errors }));
  return {
    service: serviceId,
    experiments: analysis.experiments,
    samples: analysis.samples,
    outliers: analysis.outliers,
    accuracy: analysis.accuracy,
    useCase: useCase.name,
    parameters: parameters.map(({ name }) => name),
    metrics: analysis.metrics.map((name) => ({ name, bounds: bounds(name) })),
    classes: analysis.classes.map(({ name, samples, cost, keys, share, interval }) => {
      const configuration = analysis.templates[name];
      const descriptor = configuration === undefined ? undefined : descriptorOf(configuration);
      return {
        name,
        samples,
        keys: [...keys],
        ...(cost === undefined ? {} : { cost }),
        ...(share === undefined ? {} : { share }),
        ...(interval === undefined ? {} : { interval: [...interval] }),
        ...(configuration === undefined ? {} : { configuration: { ...configuration } }),
        ...(descriptor === undefined ? {} : { descriptor }),
      };
    }),
    configurations: shown.map(({ one: { text, cost, label, samples, metrics }, i }) => ({
      text,
      cost,
      label,
      samples,
      chosen: chosen.has(i),
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, all]) => [name, [...all]])),
    })),
    measured: measured.length,
    all: analysis.configurations.length,
    rules: rules(analysis.rules),
    ...(analysis.usage === undefined
      ? {}
      : { usage: { accuracy: analysis.usage.accuracy, rules: rules(analysis.usage.rules) } }),
    warnings: analysis.warnings.slice(0, WARNINGS),
  };
}
