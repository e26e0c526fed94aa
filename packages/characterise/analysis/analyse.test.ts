import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Characterisation, configurationsOf, costOf, fullPlan, NO_CLASS } from '../config/characterisation.ts';
import { readCharacterisation } from '../config/read.ts';
import { seeded } from '@superfluidity/core';
import { table7 } from '../testing/table-7.ts';
import { analyse } from './analyse.ts';
import { labelOf, majorityLabel, worstOf } from './label.ts';
import { withoutOutliers } from './outliers.ts';
import type { ExperimentResult, Sample } from './results.ts';

const file = readFileSync(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url));
const read = readCharacterisation(file);
if (!('characterisation' in read)) throw new Error(JSON.stringify(read.problems));
const seed = read.characterisation;

/** Printed in D6.1, A3.9.6. */
const printed = {
  Class_A: { vm_ram: 2048, vm_vcpus: 2, vnic_type: 'direct', memory_page_size: 'small', cpu_policy: 'dedicated' },
  Class_B: { vm_ram: 2048, vm_vcpus: 4, vnic_type: 'normal', memory_page_size: 'small', cpu_policy: 'dedicated' },
  None: { vm_ram: 2048, vm_vcpus: 2, vnic_type: 'normal', memory_page_size: 'small', cpu_policy: 'dedicated' },
};

describe('the 16 configurations of D6.1', () => {
  test('give what is printed there', () => {
    const { templates, classes, rules, accuracy, configurations } = analyse(seed, table7(seed));
    expect(templates).toEqual(printed);
    expect(Object.keys(templates)).toEqual(Object.keys(printed));
    expect(Object.keys(templates['Class_A']!)).toEqual(Object.keys(printed.Class_A));
    expect(classes.map(({ cost, candidates, keys }) => ({ cost, candidates, keys }))).toEqual([
      { cost: 13, candidates: 8, keys: ['vnic_type'] },
      { cost: 5, candidates: 4, keys: ['vm_vcpus'] },
      { cost: 4, candidates: 4, keys: [] },
    ]);
    expect(rules.map(({ text, label }) => `${text}: ${label}`)).toEqual([
      'vnic_type = direct: Class_A',
      'vnic_type = normal and vm_vcpus > 2: Class_B',
      'vnic_type = normal and vm_vcpus <= 2: None',
    ]);
    expect(accuracy).toBe(1);
    expect(configurations.some(({ exception }) => exception)).toBe(false);
  });

  test('also by the worst of each experiment, with outliers, and with one sample of each', () => {
    const per: Characterisation = { ...seed, analysis: { ...seed.analysis, per: 'experiment' } };
    const spoilt = table7(seed, { spoilt: 0.05, seed: 3 });
    const result = analyse(per, spoilt);
    expect(result.templates).toEqual(printed);
    expect(result.outliers).toBe(
      spoilt.flatMap(({ samples }) => samples).filter(({ metrics }) => metrics.latency! > 2.5).length,
    );
    expect(analyse({ ...seed, iterations: 1 }, table7({ ...seed, iterations: 1 }, { samples: 1 })).templates).toEqual(
      printed,
    );
  });

  test('on a bound, and with the latency of one class and the throughput of another, there is no class', () => {
    const label = (latency: number, rate: number) => labelOf({ latency, curl_bytes_download: rate }, seed.classes);
    expect([
      label(0.92, 190),
      label(0.9, 180),
      label(0.9, 170),
      label(1.0, 190),
      label(0.91, 181),
      label(1, 151),
    ]).toEqual(['None', 'None', 'None', 'None', 'Class_A', 'Class_B']);
  });
});

test('an experiment has the label of most of its samples, and of equals the worse one', () => {
  const of = (...latencies: number[]) =>
    majorityLabel(
      latencies.map((latency, atMs) => ({
        atMs,
        metrics: { latency, curl_bytes_download: latency < 0.9 ? 190 : 170 },
      })),
      seed.classes,
    );
  expect([of(0.8, 0.8, 1), of(0.8, 1), of(1, 2), of(0.8, 1, 2), of(0.8)]).toEqual([
    'Class_A',
    'Class_B',
    'None',
    'None',
    'Class_A',
  ]);
});

const coded = (code: string) => expect.objectContaining({ code });

test('what cannot be used is refused with its code', () => {
  const results = table7(seed, { samples: 2 });
  const broken = (change: (sample: Sample) => Sample, at = 1) =>
    results.map((one, i) =>
      i === 3 ? { ...one, samples: one.samples.map((s, j) => (j === at ? change(s) : s)) } : one,
    );
  const metric = (latency: unknown) => broken((s) => ({ ...s, metrics: { ...s.metrics, latency: latency as number } }));
  for (const bad of [
    metric(Number.NaN),
    metric(-1),
    metric(null),
    metric(undefined),
    metric(Number.POSITIVE_INFINITY),
    broken((s) => ({ ...s, atMs: 0 })),
    broken((s) => ({ ...s, atMs: Number.NaN })),
    [],
    [{ ...results[0]!, samples: [] }],
    [results[0]!, results[0]!],
    [{ ...results[0]!, configuration: 16 }],
  ])
    expect(() => analyse(seed, bad)).toThrow(coded('SF-CHARACTERISE-SAMPLES'));
  const only = (nic: string) =>
    results.filter(({ configuration }) => configurationsOf(seed.parameters)[configuration]!['vnic_type'] === nic);
  expect(() => analyse(seed, only('direct'))).toThrow(coded('SF-CHARACTERISE-ONE-CLASS'));
  expect(() => analyse(seed, only('normal'))).toThrow(coded('SF-CHARACTERISE-EMPTY-CLASS'));
  const partial = analyse(seed, only('normal'), { partial: true });
  expect(Object.keys(partial.templates)).toEqual(['Class_B', 'None']);
  expect(partial.warnings).toEqual(['no sample is in Class_A: it has no configuration']);
});

test('a class is given with the share of samples that it needs', () => {
  const shaky = table7(seed).map((one) => ({
    ...one,
    // The cheapest one for class A keeps the bounds most of the time only.
    samples: one.samples.map((sample, i) =>
      one.configuration === 2 && i % 4 === 0 ? { ...sample, metrics: { ...sample.metrics, latency: 0.93 } } : sample,
    ),
  }));
  const sure: Characterisation = { ...seed, analysis: { ...seed.analysis, outliers: 0, probability: 0.99 } };
  expect(analyse({ ...sure, analysis: { ...sure.analysis, probability: 0.7 } }, shaky).templates).toEqual(printed);
  expect(analyse(sure, shaky).templates['Class_A']).not.toEqual(printed.Class_A);
});

test('of what is measured wholly and without noise, the cheapest of each class is found, whatever the classes are', () => {
  const parameters = fc.array(fc.array(fc.nat(5), { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(parameters, fc.nat(), fc.integer({ min: 2, max: 4 }), (costs, chance, kinds) => {
      const random = seeded(chance);
      const made: Characterisation = {
        ...seed,
        parameters: costs.map((own, i) => ({
          name: `p${i}`,
          values: own.map((_, v) => (i % 2 ? `v${v}` : v)),
          costs: own,
        })),
        classes: Array.from({ length: kinds - 1 }, (_, k) => ({
          name: `K${k}`,
          bounds: [{ metric: 'level', comparisons: [{ operator: '==', bound: k }] }],
        })),
      };
      const configurations = configurationsOf(made.parameters);
      const levels = configurations.map(() => Math.floor(random() * kinds));
      if (new Set(levels).size < 2) return;
      const results = fullPlan(configurations.length, 1).map((one) => ({
        ...one,
        samples: Array.from({ length: 5 }, (_, i) => ({ atMs: i, metrics: { level: levels[one.configuration]! } })),
      }));
      const { classes } = analyse(made, results, { partial: true });
      for (const { name, chosen, cost } of classes) {
        const level = name === NO_CLASS ? kinds - 1 : Number(name.slice(1));
        const mine = configurations.flatMap((one, i) => (levels[i] === level ? [costOf(one, made.parameters)] : []));
        expect(cost).toBe(mine.length === 0 ? undefined : Math.min(...mine));
        if (chosen !== undefined) expect(levels[chosen]).toBe(level);
      }
    }),
    { numRuns: 40 },
  );
});

test('outliers are far from the median of their own configuration', () => {
  const one = (values: readonly number[], configuration = 0): ExperimentResult => ({
    index: configuration,
    iteration: 0,
    configuration,
    samples: values.map((x, i) => ({ atMs: i, metrics: { x } })),
  });
  const left = (values: readonly number[]) =>
    withoutOutliers([one(values), one([1_000, 1_001], 1)], ['x'], 3.5).results[0]!.samples.map(
      ({ metrics }) => metrics['x'],
    );
  expect(left([10, 11, 12, 13, 14, 100])).toEqual([10, 11, 12, 13, 14]);
  // Median of deviations 0: their mean decides, 9 * 1.2533 / 10 = 1.128, times 3.5 = 3.95.
  expect(left([5, 5, 5, 5, 5, 5, 5, 5, 5, 14])).toEqual([5, 5, 5, 5, 5, 5, 5, 5, 5]);
  expect(left([5, 5, 5])).toEqual([5, 5, 5]);
  expect(left([1, 9])).toEqual([1, 9]);
});

test('the worst of an experiment is the highest latency and the lowest throughput', () => {
  const [result] = table7(seed);
  const { samples } = worstOf(result!, seed.classes);
  expect(samples).toHaveLength(1);
  expect(samples[0]!.metrics['latency']).toBe(Math.max(...result!.samples.map(({ metrics }) => metrics['latency']!)));
  expect(samples[0]!.metrics['curl_bytes_download']).toBe(
    Math.min(...result!.samples.map(({ metrics }) => metrics['curl_bytes_download']!)),
  );
});
