import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internalRate, netPresentValue } from './cash-flow.ts';
import { economicsOf } from './economics.ts';
import { economicsShape, readScenario, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { sensitivity } from './sensitivity.ts';

const money = fc.integer({ min: 1, max: 1_000_000 });
const rate = fc.integer({ min: 1, max: 40 }).map((n) => n / 100);
const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    capex: money,
    opex: money,
    fee: fc.integer({ min: 1, max: 90 }),
    count: money,
    years: fc.integer({ min: 1, max: 30 }),
    rate,
  })
  .map(({ capex, opex, fee, count, years, rate: discountRate }) => ({
    ...scenarios.bologna,
    years,
    discountRate,
    investments: [{ name: 'all', count: 1, each: capex }],
    yearly: [{ name: 'all', count: 1, each: opex }],
    energy: { averageWatts: 0, pricePerKwh: 0 },
    maintenance: 0,
    subscribers: { first: count, last: count },
    monthlyFee: fee,
  }));

describe('what a network brings', () => {
  it('is that of an annuity where years are alike', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        const { investments, yearly, discountRate, years, monthlyFee, subscribers } = one;
        const annuity = (1 - (1 + discountRate) ** -years) / discountRate;
        const [capex, opex] = [investments[0]!.each, yearly[0]!.each];
        const value = -capex + annuity * (12 * monthlyFee * subscribers.first - opex);
        const result = economicsOf(one);
        expect(Math.abs(result.netPresentValue - value)).toBeLessThan(
          1e-9 * (capex + annuity * opex + Math.abs(value)),
        );
        const fee = (capex / annuity + opex) / (12 * subscribers.first);
        expect(result.breakEvenFee! / fee).toBeCloseTo(1, 9);
      }),
    );
  });

  it('is nothing at the fee that breaks even and at the internal rate', () => {
    for (const one of Object.values(scenarios)) {
      const { breakEvenFee, internalRate: inner, capex } = economicsOf(one);
      expect(Math.abs(economicsOf({ ...one, monthlyFee: breakEvenFee! }).netPresentValue)).toBeLessThan(1e-6 * capex);
      expect(Math.abs(economicsOf({ ...one, discountRate: inner! }).netPresentValue)).toBeLessThan(1e-6 * capex);
    }
  });

  it('has the internal rate of flows that can be worked out, and none where there may be several', () => {
    expect(internalRate([-100, 110])).toBeCloseTo(0.1, 12);
    // 100 at once for 121 in two years.
    expect(internalRate([-100, 0, 121])).toBeCloseTo(0.1, 12);
    expect(internalRate([-100, 10, 10, 110])).toBeCloseTo(0.1, 12);
    expect(internalRate([-100, 50])).toBeCloseTo(-0.5, 12);
    expect(internalRate([-100, 230, -132])).toBeUndefined();
    expect(internalRate([100, 10])).toBeUndefined();
    expect(netPresentValue([-100, 230, -132], 0.1)).toBeCloseTo(0, 9);
  });

  it('is paid back when discounted flows have made good what was invested', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        const { flows, paidBackAfter } = economicsOf(one);
        let sum = 0;
        const year = flows.findIndex((flow, t) => (sum += flow / (1 + one.discountRate) ** t) >= 0);
        // At a year that sums to nothing but for rounding either is right.
        if (Math.abs(sum) > 1) expect(paidBackAfter ?? -1).toBe(year);
      }),
    );
  });

  it('adds up energy, maintenance and rents, and people by a straight line', () => {
    const one: Scenario = {
      ...scenarios.bologna,
      years: 3,
      investments: [{ name: 'a', count: 2, each: 500 }],
      yearly: [{ name: 'rent', count: 3, each: 10 }],
      energy: { averageWatts: 1_000, pricePerKwh: 0.1 },
      maintenance: 0.05,
      subscribers: { first: 10, last: 30 },
      monthlyFee: 2,
    };
    const result = economicsOf(one);
    expect(result.opex).toEqual({ total: 956, energy: 876, maintenance: 50, other: 30 });
    expect(result.revenue).toEqual([240, 480, 720]);
  });
});

it('a tornado has the widest swing on top, and more of a fee is more', () => {
  const swings = sensitivity(scenarios.bologna, 0.2);
  const widths = swings.map(({ less, more }) => Math.abs(more - less));
  expect(widths).toEqual(widths.toSorted((a, b) => b - a));
  const { opex, netPresentValue: value } = economicsOf(scenarios.bologna);
  expect(opex.total).toBeGreaterThan(0);
  for (const { what, less, more } of swings) {
    expect(Math.min(less, more), what).toBeLessThan(value);
    expect(Math.max(less, more), what).toBeGreaterThan(value);
    expect(more > less, what).toBe(['monthly fee', 'subscribers'].includes(what));
  }
});

it('scenarios have the shape that is read, and what has another is refused with its line', () => {
  for (const one of Object.values(scenarios)) expect(economicsShape.parse(one)).toEqual(one);
  const text = JSON.stringify(scenarios.bologna, undefined, 1).replace('"years": 10', '"years": 0');
  const { problems } = readScenario(Buffer.from(text));
  expect(problems[0]).toMatchObject({ path: 'years', position: { line: 6 } });
});
