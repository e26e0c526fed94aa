import { internalRate, netPresentValue } from './cash-flow.ts';
import type { Scenario } from './scenario.ts';

export interface Economics {
  readonly capex: number;
  /** Of each year, the same in all of them. */
  readonly opex: {
    readonly total: number;
    readonly energy: number;
    readonly maintenance: number;
    readonly other: number;
  };
  /** By year, from 1 on. */
  readonly revenue: readonly number[];
  /** From year 0 on: less what is paid. */
  readonly flows: readonly number[];
  readonly netPresentValue: number;
  /** Absent where the flows do not change their sign once. */
  readonly internalRate?: number;
  /** Monthly fee with which the net present value is nothing; absent where nobody subscribes. */
  readonly breakEvenFee?: number;
  /** First year at whose end all flows until then, discounted, are not negative. */
  readonly paidBackAfter?: number;
}

const HOURS_A_YEAR = 8_760;

/**
 * What is invested, what a year costs and brings, and whether that pays: net present value, internal rate of return, and the
 * fee at which it breaks even, which has a closed form because revenue is linear in the fee. O(years).
 */
export function economicsOf(scenario: Scenario): Economics {
  const { years, discountRate, monthlyFee } = scenario;
  const sum = (items: Scenario['yearly']) => items.reduce((total, { count, each }) => total + count * each, 0);
  const capex = sum(scenario.investments);
  const energy = (scenario.energy.averageWatts / 1_000) * HOURS_A_YEAR * scenario.energy.pricePerKwh;
  const maintenance = scenario.maintenance * capex;
  const other = sum(scenario.yearly);
  const opex = { total: energy + maintenance + other, energy, maintenance, other };
  const subscribers = Array.from({ length: years }, (_, year) => subscribersIn(scenario, year));
  const revenue = subscribers.map((count) => 12 * monthlyFee * count);
  const flows = [-capex, ...revenue.map((each) => each - opex.total)];
  const present = (list: readonly number[]) => netPresentValue([0, ...list], discountRate);
  const months = 12 * present(subscribers);
  const rate = internalRate(flows);
  const back = flows.findIndex((_, year) => netPresentValue(flows.slice(0, year + 1), discountRate) >= 0);
  return {
    capex,
    opex,
    revenue,
    flows,
    netPresentValue: netPresentValue(flows, discountRate),
    ...(rate === undefined ? {} : { internalRate: rate }),
    ...(months > 0 ? { breakEvenFee: (capex + present(revenue.map(() => opex.total))) / months } : {}),
    ...(back < 0 ? {} : { paidBackAfter: back }),
  };
}

function subscribersIn({ years, subscribers: { first, last } }: Scenario, year: number): number {
  return years === 1 ? first : first + ((last - first) * year) / (years - 1);
}
