import { type Costs, headCost, siteCost, syntheticCosts } from '../rfb/costs.ts';
import type { Design } from '../rfb/dimension.ts';
import type { RfbInstance } from '../rfb/instance.ts';
import type { Scenario } from './scenario.ts';

/**
 * What a network that was designed costs and brings: its investments are what was bought, so that CAPEX is the cost of the
 * design, and its subscribers are in proportion to the users whom it serves. What operation takes is in the table of costs.
 */
export function scenarioOf(
  { name, nodes, cells, rrhTypes }: RfbInstance,
  costs: Costs,
  { solution, bought, served }: Pick<Design, 'solution' | 'bought' | 'served'>,
): Scenario {
  const operation = costs.operation ?? syntheticCosts.operation!;
  const sites = nodes.filter((_, node) => solution.on[node]);
  const units = (of: 'dedicated' | 'servers') => bought.reduce((sum, each) => sum + each[of], 0);
  const heads = rrhTypes.map((type, t) => ({
    name: `radio heads: ${type.name}`.slice(0, 256),
    count: solution.cell.filter((cell) => cells[cell]?.type === t).length,
    each: headCost(costs, type.name),
  }));
  // Sites may differ in their cost: those that cost alike are one item.
  const bySite = Map.groupBy(sites, (site) => siteCost(costs, site.name));
  const watts = operation.watts;
  return {
    'superfluidity-economics': 1,
    name,
    source: 'A network that was designed, with the table of costs of its design',
    currency: costs.currency,
    years: operation.years,
    discountRate: operation.discountRate,
    investments: [
      ...[...bySite].map(([each, { length }]) => ({ name: 'sites', count: length, each })),
      ...heads.filter(({ count }) => count > 0),
      { name: 'dedicated hardware', count: units('dedicated'), each: costs.dedicated.cost },
      { name: 'servers', count: units('servers'), each: costs.server.cost },
    ],
    yearly: [{ name: 'rent of sites', count: sites.length, each: operation.rent }],
    energy: {
      averageWatts: watts.site * sites.length + watts.dedicated * units('dedicated') + watts.server * units('servers'),
      pricePerKwh: operation.pricePerKwh,
    },
    maintenance: operation.maintenance,
    subscribers: {
      first: served * operation.subscribersPerUser.first,
      last: served * operation.subscribersPerUser.last,
    },
    monthlyFee: operation.monthlyFee,
  };
}
