import { economicsOf } from './economics.ts';
import type { Scenario } from './scenario.ts';

export interface Swing {
  readonly what: string;
  /** Net present value with this less, and with this more, by the part that was asked for. */
  readonly less: number;
  readonly more: number;
}

type Items = Scenario['yearly'];
const times = (items: Items, by: number): Items => items.map((item) => ({ ...item, each: item.each * by }));

const parameters: Readonly<Record<string, (scenario: Scenario, by: number) => Scenario>> = {
  'monthly fee': (scenario, by) => ({ ...scenario, monthlyFee: scenario.monthlyFee * by }),
  subscribers: (scenario, by) => {
    const { first, last } = scenario.subscribers;
    return { ...scenario, subscribers: { first: first * by, last: last * by } };
  },
  investments: (scenario, by) => ({ ...scenario, investments: times(scenario.investments, by) }),
  'rents and other costs': (scenario, by) => ({ ...scenario, yearly: times(scenario.yearly, by) }),
  'energy price': ({ energy, ...scenario }, by) => ({
    ...scenario,
    energy: { ...energy, pricePerKwh: energy.pricePerKwh * by },
  }),
  maintenance: (scenario, by) => ({ ...scenario, maintenance: scenario.maintenance * by }),
  'discount rate': (scenario, by) => ({ ...scenario, discountRate: scenario.discountRate * by }),
};

/** How far the net present value goes with each parameter alone, the widest first: the bars of a tornado. O(parameters * years). */
export function sensitivity(scenario: Scenario, part: number): readonly Swing[] {
  return Object.entries(parameters)
    .map(([what, change]): Swing => {
      const value = (by: number) => economicsOf(change(scenario, by)).netPresentValue;
      return { what, less: value(1 - part), more: value(1 + part) };
    })
    .toSorted((a, b) => Math.abs(b.more - b.less) - Math.abs(a.more - a.less));
}
