import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configurationsOf, configurationText, costOf, fullPlan } from './characterisation.ts';
import { parseComparison, satisfies } from './comparator.ts';
import { readCharacterisation } from './read.ts';

const text = readFileSync(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url), 'utf8');
const read = (source: string) => readCharacterisation(Buffer.from(source), 'c.yaml');
const problemsOf = (from: string | RegExp, to: string) =>
  read(text.replace(from, to)).problems.map(({ message, position }) => `${position?.line}: ${message}`);

test('the configuration of the seed is read as it is printed', () => {
  const result = read(text);
  expect(result.problems).toEqual([]);
  if (!('characterisation' in result)) return;
  const { parameters, classes, iterations, useCase } = result.characterisation;
  expect(parameters[0]).toEqual({ name: 'vm_ram', values: [2048, 4092], costs: [1, 2] });
  expect(parameters[4]).toEqual({ name: 'cpu_policy', values: ['dedicated'], costs: [0] });
  expect(classes[1]).toEqual({
    name: 'Class_B',
    bounds: [
      {
        metric: 'latency',
        comparisons: [
          { operator: '>', bound: 0.92 },
          { operator: '<', bound: 1.05 },
        ],
      },
      {
        metric: 'curl_bytes_download',
        comparisons: [
          { operator: '<', bound: 180 },
          { operator: '>', bound: 150 },
        ],
      },
    ],
  });
  expect(useCase.parameters['vlan_id_1']).toBe(400);
  const all = configurationsOf(parameters);
  expect(all).toHaveLength(16);
  expect(configurationText(all[0]!, parameters)).toBe('vm_ram=2048 vm_vcpus=2 vnic_type=normal memory_page_size=small');
  expect([costOf(all[0]!, parameters), costOf(all[15]!, parameters)]).toEqual([4, 19]);
  const plan = fullPlan(all.length, iterations);
  expect(plan).toHaveLength(48);
  expect(new Set(plan.map(({ configuration, iteration }) => `${configuration}/${iteration}`)).size).toBe(48);
});

test('what is wrong has its line', () => {
  expect(problemsOf('        4092: 2', '        4096: 2')).toEqual(["41: 'vm_ram' has no value 4096"]);
  expect(problemsOf('      vnic_type:\n', '      vnic_typ:\n')).toEqual([
    "45: there is no deployment parameter 'vnic_typ'",
  ]);
  expect(problemsOf("'{} < 0.92'", "'{} < process.exit()'")[0]).toMatch(/^28: '\{\} < process.exit\(\)' is not a/);
  expect(problemsOf("'{} < 1.05'", "'{} < 0.92'")).toEqual(['33: no number is within these bounds']);
  expect(problemsOf('class_B', 'Class_A')).toEqual(['31: Class_A is there twice']);
  expect(problemsOf('class_B', 'none')).toEqual(['31: None is what is in no class']);
  expect(problemsOf('[2048, 4092]', '[2048, 2048]')[0]).toBe('4: 2048 is there twice');
  expect(problemsOf('iterations: 3', 'iterations: 0')).toHaveLength(1);
  expect(problemsOf('2048: 1', '2048: -1')).toHaveLength(1);
  expect(problemsOf('2048: 1', '2048: .nan')).toHaveLength(1);
  expect(problemsOf('cpu_policy: dedicated', 'cpu_policy: []')).toHaveLength(1);
  const many = `[${Array.from({ length: 64 }, (_, i) => i).join(', ')}]`;
  expect(problemsOf(/\[2, 4\]/, `${many}\n  more: ${many}`).join()).toContain('32768 permutations, at most 4096');
});

test('comparisons are numbers only, and mean what they say', () => {
  for (const bad of ['{} < ', '< 3', '{} < {}', '{} <> 3', '{} < 1e999', '{} < 0x10', '{}{} < 3', 'a{} < 3'])
    expect(parseComparison(bad)).toBeUndefined();
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true }), (bound, value) => {
      const holds = (operator: string) => satisfies(value, parseComparison(`{} ${operator} ${bound}`)!);
      expect([holds('<'), holds('<='), holds('>'), holds('>='), holds('==')]).toEqual([
        value < bound,
        value <= bound,
        value > bound,
        value >= bound,
        value === bound,
      ]);
    }),
  );
});

test('damaged files give problems and never throw', () => {
  fc.assert(
    fc.property(fc.nat(text.length), fc.string({ maxLength: 8 }), fc.nat(20), (at, piece, cut) => {
      const result = read(text.slice(0, at) + piece + text.slice(at + cut));
      expect('characterisation' in result || result.problems.length > 0).toBe(true);
    }),
    { numRuns: 30 },
  );
});
