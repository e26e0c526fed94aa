import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrate, fitError, predictedCores, readMeasurements } from './calibrate.ts';
import { type Block, runsOf } from './chain.ts';
import { HostPool } from './host-pool.ts';
import { switchModels } from './models.ts';
import { distributeCost, gatherCost, hostSwitchingCost, MICRO_CORES, type SubChain } from './switch-model.ts';
import { chainOf, compiled, requestOf, switchModel } from './testing/requests.ts';

const subChain: fc.Arbitrary<SubChain> = fc.record({
  length: fc.integer({ min: 1, max: 12 }),
  ratePps: fc.integer({ min: 1, max: 4_000 }).map((n) => n * 1_000),
});
const several = fc.array(subChain, { minLength: 1, maxLength: 8 });

describe('the cost of a host', () => {
  it('of one sub-chain is what gathering it costs, in both forms', () => {
    fc.assert(
      fc.property(
        switchModel,
        subChain,
        fc.constantFrom('consistent' as const, 'literal' as const),
        (model, one, form) => {
          expect(hostSwitchingCost(model, [one], form)).toBe(gatherCost(model, one));
        },
      ),
    );
  });

  it('of r sub-chains that are alike is that of r copies: in the consistent form always, in the printed one for two', () => {
    fc.assert(
      fc.property(switchModel, subChain, fc.integer({ min: 1, max: 12 }), (model, one, r) => {
        const alike = Array.from({ length: r }, () => one);
        expect(hostSwitchingCost(model, alike, 'consistent')).toBe(gatherCost(model, one, r));
        const [f, fr] = [gatherCost(model, one), gatherCost(model, one, r)];
        // r f - (r - 1) (r f - f_r), as printed.
        expect(hostSwitchingCost(model, alike, 'literal')).toBe(r * f - (r - 1) * (r * f - fr));
      }),
    );
  });

  it('is less than nothing in the printed form for three copies that cost less than one and a half times one', () => {
    const dpdk = switchModels['dpdk-ovs'];
    const one = { length: 1, ratePps: 100_000 };
    const [f, f3] = [gatherCost(dpdk, one), gatherCost(dpdk, one, 3)];
    expect(f3).toBeLessThan(1.5 * f);
    expect(hostSwitchingCost(dpdk, [one, one, one], 'literal')).toBe(2 * f3 - 3 * f);
    expect(2 * f3 - 3 * f).toBeLessThan(0);
  });

  it('grows with every sub-chain, is no less than that of any of them and no more than their sum', () => {
    fc.assert(
      fc.property(switchModel, several, subChain, (model, some, more) => {
        const before = hostSwitchingCost(model, some, 'consistent');
        // Each mean is rounded to a millionth of a core.
        expect(hostSwitchingCost(model, [...some, more], 'consistent')).toBeGreaterThanOrEqual(before - 1);
        const alone = some.map((one) => gatherCost(model, one));
        expect(before).toBeGreaterThanOrEqual(Math.max(...alone) - 1);
        expect(before).toBeLessThanOrEqual(alone.reduce((a, b) => a + b, 0) + 1);
      }),
    );
  });

  it('of a chain that is distributed is that of as many hosts with one function each', () => {
    fc.assert(
      fc.property(switchModel, subChain, (model, one) => {
        const each = hostSwitchingCost(model, [{ ...one, length: 1 }], 'consistent');
        expect(distributeCost(model, one)).toBe(one.length * each);
      }),
    );
  });

  it('amortises much where polling burns a core anyway, and little where packets do', () => {
    const saved = (name: keyof typeof switchModels) => {
      const one = { length: 2, ratePps: 100_000 };
      const [f, f4] = [gatherCost(switchModels[name], one), gatherCost(switchModels[name], one, 4)];
      return (4 * f - f4) / (4 * f);
    };
    expect(saved('dpdk-ovs')).toBe(0.75);
    expect(saved('kernel-ovs')).toBeLessThan(0.15);
  });

  it('tells neither strategy to be always the better one', () => {
    const kernel = switchModels['kernel-ovs'];
    const rates = [20_000, 1_000_000].map((ratePps) => ({ length: 4, ratePps }));
    const better = rates.map((one) => gatherCost(kernel, one) < distributeCost(kernel, one));
    expect(better).toEqual([true, false]);
  });
});

/**
 * Figure 5 of Superfluidity D6.1: four chains of 3, 4, 5 and 2 functions on the hosts A, B and C. That of 3 is distributed, that of
 * 2 gathered, and A and C hold the same number of functions.
 */
describe('figure 5', () => {
  const place = (placements: readonly (readonly Block[])[]) => {
    const chains = [3, 4, 5, 2].map((length, i) => chainOf(`phi${i + 1}`, length, 200_000 * (i + 1)));
    const pool = new HostPool(compiled(requestOf(3, chains)));
    placements.forEach((blocks, i) => pool.commit(pool.problem.chains[i]!, blocks));
    return pool;
  };
  const [A, B, C] = [0, 1, 2] as const;
  const pool = place([
    [
      { host: A, functions: [0] },
      { host: B, functions: [1] },
      { host: C, functions: [2] },
    ],
    [
      { host: A, functions: [0, 1] },
      { host: B, functions: [2, 3] },
    ],
    [
      { host: A, functions: [0, 3] },
      { host: B, functions: [4] },
      { host: C, functions: [1, 2] },
    ],
    [{ host: C, functions: [0, 1] }],
  ]);

  it('has as many functions on A as on C, and switches that take different amounts', () => {
    expect(pool.guest[A]).toBe(pool.guest[C]);
    expect(pool.switching[A]).not.toBe(pool.switching[C]);
  });

  it('costs on each host what the sub-chains on it cost by definition', () => {
    const carried = [
      [
        { length: 1, ratePps: 200_000 },
        { length: 2, ratePps: 400_000 },
        { length: 1, ratePps: 600_000 },
        { length: 1, ratePps: 600_000 },
      ],
      [
        { length: 1, ratePps: 200_000 },
        { length: 2, ratePps: 400_000 },
        { length: 1, ratePps: 600_000 },
      ],
      [
        { length: 1, ratePps: 200_000 },
        { length: 2, ratePps: 600_000 },
        { length: 2, ratePps: 800_000 },
      ],
    ];
    carried.forEach((subChains, host) => {
      expect(pool.runs[host]).toBe(subChains.length);
      expect(pool.switching[host]).toBe(hostSwitchingCost(switchModels['kernel-ovs'], subChains, 'consistent'));
      // Kernel switches: the base once, and the work of each; a million packets take 2.35294 cores in and out of one function.
      const cores = subChains.reduce(
        (sum, { length, ratePps }) => sum + (ratePps / 1e6) * ((length + 1) * 1.17647 + (length - 1) * 2.15686),
        0.1,
      );
      expect(pool.switching[host]! / MICRO_CORES).toBeCloseTo(cores, 5);
    });
  });

  it('cuts 0 3 into two pieces and 1 2 into one', () => {
    expect(runsOf([0, 3])).toEqual([1, 1]);
    expect(runsOf([1, 2])).toEqual([2]);
  });
});

describe('calibration', () => {
  const about = { name: 'mine', switch: 'mine', frameBytes: 64 };
  const grid = [50_000, 200_000, 700_000, 2_000_000].flatMap((ratePps) =>
    [1, 2, 3, 5, 8].flatMap((length) => [1, 2, 4].map((copies) => ({ ratePps, length, copies }))),
  );

  it('finds the coefficients that measurements were made with', () => {
    fc.assert(
      fc.property(
        switchModel.filter(
          ({ form, coefficients: { base, perHop } }) => base > 0.01 && (form === 'interrupt' || perHop > 0.05),
        ),
        (made) => {
          const model =
            made.form === 'poll'
              ? { ...made, coefficients: { ...made.coefficients, perHopLog: 0, perInner: 0 } }
              : made;
          const measurements = grid.map((one) => ({ ...one, cpu: predictedCores(model, one) }));
          const { model: fitted, notMonotone } = calibrate(measurements, { ...about, form: made.form });
          expect(fitted.fit!.mape).toBeLessThan(0.001);
          expect(notMonotone).toBe(0);
          const predicted = grid.map((one) => predictedCores(fitted, one));
          expect(fitError(measurements, predicted).maxError).toBeLessThan(0.01);
        },
      ),
    );
  });

  it('stays within a few hundredths where measurements are off by that', () => {
    const model = switchModels['kernel-ovs'];
    const measurements = grid.map((one, i) => ({ ...one, cpu: predictedCores(model, one) * (1 + 0.03 * Math.sin(i)) }));
    const { model: fitted } = calibrate(measurements, about);
    expect(fitted.form).toBe('interrupt');
    expect(fitted.fit!.mape).toBeLessThan(0.03);
    expect(fitted.coefficients.perHop).toBeCloseTo(model.coefficients.perHop, 1);
  });

  it('makes the models of the product from the throughputs that they say they come from', () => {
    const rates = [50e3, 100e3, 200e3, 500e3, 1e6, 2e6];
    const lengths = Array.from({ length: 10 }, (_, i) => i + 1);
    const rows = (more: readonly number[], copies: readonly number[], cpu: (mpps: number, length: number) => number) =>
      [...rates, ...more].flatMap((ratePps) =>
        lengths.flatMap((length) =>
          copies.map((n) => ({ ratePps, length, copies: n, cpu: cpu((n * ratePps) / 1e6, length) })),
        ),
      );
    const kernel = calibrate(
      rows([], [1, 2, 4], (mpps, length) => 0.1 + mpps * (2 / 0.85 + (length - 1) / 0.3)),
      about,
    ).model;
    const dpdk = calibrate(
      rows([4e6], [1, 2, 4, 8], (mpps, length) => Math.max(1, (mpps * (length + 1)) / 2 / 3.75)),
      about,
    ).model;
    for (const [made, kept] of [
      [kernel, switchModels['kernel-ovs']],
      [dpdk, switchModels['dpdk-ovs']],
    ] as const) {
      const { form, coefficients, validRange, fit } = kept;
      expect(made).toMatchObject({ form, coefficients, validRange, fit });
    }
  });

  it.each([
    ['rate,length,copies\n1,2,3\n', 'line 1: there is no column cpu'],
    ['rate,length,copies,cpu\n1000,1,1,0.2\n-5,1,1,0.2\n', 'line 3: rate must be a number above 0'],
    ['rate,length,copies,cpu\n1000,1,1,NaN\n', 'line 2: cpu must be a number above 0'],
    ['rate,length,copies,cpu\n1000,1.5,1,1\n', 'line 2: length and copies are whole numbers'],
    ['rate,length,copies,cpu\n1000,1,1,1\n', 'at least 3 measurements are needed'],
    ['rate,length,copies,cpu\n1000,1,,1\n', 'line 2: copies must be a number above 0'],
  ])('refuses %j', (text, reason) => {
    expect(() => readMeasurements(text)).toThrow(reason);
  });
});
