import type { Balancer, BalancerShare } from '@superfluidity/model';
import type { PlannedBalancer, PlannedMember, PlannedUnit } from './actions.ts';

/** The part of a balancer in one site: the instances that are there of the units behind it. Undefined: none is. */
export function plannedBalancer(
  service: string,
  balancer: Balancer,
  units: readonly PlannedUnit[],
  site: string,
): PlannedBalancer | undefined {
  const { unit, targetPort, weight, also = [], pools, carried: _, ...settings } = balancer;
  const here = units.filter((each) => each.site === site);
  const membersOf = (share: BalancerShare): readonly PlannedMember[] =>
    here
      .filter(({ spec }) => spec.path === share.unit)
      .map(({ spec }) => ({
        unitId: spec.id,
        port: share.targetPort ?? targetPort,
        ...(share.weight === undefined ? {} : { weight: share.weight }),
        ...(share.backup === undefined ? {} : { backup: share.backup }),
      }));
  const main = { unit, ...(weight === undefined ? {} : { weight }) };
  const behind = [main, ...also, ...(pools ?? [])].map((share) => share.unit);
  const network = here.find(({ spec }) => behind.includes(spec.path))?.spec.ports[0]?.network;
  if (network === undefined) return undefined;
  return {
    ...settings,
    id: `${service}.${balancer.name}`,
    service,
    network,
    members: [main, ...also].flatMap(membersOf),
    ...(pools === undefined ? {} : { pools: pools.map((pool) => ({ name: pool.name, members: membersOf(pool) })) }),
  };
}
