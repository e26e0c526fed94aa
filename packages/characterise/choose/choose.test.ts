import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configurationsOf } from '../config/characterisation.ts';
import { readCharacterisation } from '../config/read.ts';
import { chosen, measured, tried } from '../testing/campaign.ts';
import { randomSystem } from '../testing/systems.ts';
import { table7 } from '../testing/table-7.ts';
import { pairwiseDesign } from './pairs.ts';
import { digit } from './relevant.ts';
import { active, exhaustive } from './strategy.ts';

test('in the design every two values of two parameters meet, and little else', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), (sizes) => {
      const parameters = sizes.map((size, i) => ({
        name: `${i}`,
        values: Array.from({ length: size }, (_, v) => v),
        costs: [],
      }));
      const count = sizes.reduce((a, b) => a * b, 1);
      const design = pairwiseDesign(
        parameters,
        Array.from({ length: count }, (_, c) => c),
      );
      for (let a = 0; a < sizes.length; a += 1) {
        for (let b = a + 1; b < sizes.length; b += 1) {
          const met = new Set(design.map((c) => `${digit(sizes, c, a)} ${digit(sizes, c, b)}`));
          expect(met.size).toBe(sizes[a]! * sizes[b]!);
        }
      }
      expect(new Set(design).size).toBe(design.length);
      expect(design.length).toBeLessThanOrEqual(count);
    }),
    { numRuns: 20 },
  );
  const ten = Array.from({ length: 10 }, (_, i) => ({ name: `${i}`, values: [0, 1], costs: [0, 1] }));
  const costs = configurationsOf(ten).map((_, c) => c);
  expect(pairwiseDesign(ten, costs).length).toBeLessThanOrEqual(12);
});

describe('active choice', () => {
  test('finds the templates of D6.1 with 10 of the 48 experiments', () => {
    const read = readCharacterisation(
      readFileSync(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url)),
    );
    if (!('characterisation' in read)) throw new Error('unreadable');
    const { characterisation } = read;
    const all = table7(characterisation);
    const whole = measured(exhaustive(characterisation), ({ index }) => all[index]!);
    expect(whole.results.map(({ index }) => index)).toEqual(all.map(({ index }) => index));
    const { results, confidence } = measured(active(characterisation), ({ index }) => all[index]!);
    expect(chosen(characterisation, results)).toEqual(chosen(characterisation, whole.results));
    expect(confidence).toBeGreaterThanOrEqual(0.95);
    expect(results.length).toBe(10);
  });

  test('is right as often as it says on systems that do not exist, with a part of the experiments', () => {
    const { right, systems, share } = tried(20, { least: 4, most: 5 });
    expect(right / systems).toBeGreaterThanOrEqual(0.95);
    expect(share).toBeLessThan(0.15);
  });

  test('with short trials it is right in less time, and what is chosen was measured for the whole of it', () => {
    const options = { least: 4, most: 5 };
    const [long, short] = [tried(12, options), tried(12, { ...options, halving: true })];
    expect(short.right).toBeGreaterThanOrEqual(long.right - 1);
    expect(short.time).toBeLessThan(0.8 * long.time);
    const { characterisation, measure } = randomSystem(2, { parameters: 5 });
    const { results } = measured(active(characterisation, { halving: true }), measure);
    for (const c of Object.values(chosen(characterisation, results)).filter((one) => one >= 0)) {
      const own = results.filter(({ configuration }) => configuration === c);
      expect(own.some(({ share = 1 }) => share === 1) || own.length === characterisation.iterations).toBe(true);
    }
    // Once is all there is: then it is for the whole time.
    const single = measured(active({ ...characterisation, iterations: 1 }, { halving: true }), measure);
    expect(single.results.every(({ share }) => share === undefined)).toBe(true);
  });

  test('goes on without what fails, and ends when everything is measured', () => {
    const { characterisation, measure } = randomSystem(3, { parameters: 4 });
    const count = configurationsOf(characterisation.parameters).length;
    const failed = new Set([0, 1, count, 2 * count]);
    const { results } = measured(active(characterisation), measure, failed);
    expect(results.some(({ index }) => failed.has(index))).toBe(false);
    expect(results.some(({ configuration }) => configuration === 0)).toBe(false);
    // A class that nothing reaches is looked for everywhere, once.
    const [best, fair] = characterisation.classes;
    const dreamt = { ...best!, bounds: [{ metric: 'latency', comparisons: [{ operator: '<', bound: 0 } as const] }] };
    const vain = { ...characterisation, iterations: 1, classes: [dreamt, fair!] };
    expect(measured(active(vain), measure).results).toHaveLength(count);
    expect(() => active(characterisation, { confidence: 1 })).toThrow(/confidence 1/);
  });
});
