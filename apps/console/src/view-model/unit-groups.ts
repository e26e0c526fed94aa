import type { ServiceDetail, Unit, UnitGroup } from '@superfluidity/api';

/** Units of one path on one host: how many, and those of them that are known one by one. */
export interface Lot extends UnitGroup {
  readonly units: readonly Unit[];
}

/** The units of a service by path and host, whether the control plane told each of them or counted them. */
export function lotsOf(service: Pick<ServiceDetail, 'units' | 'groups'> | undefined): readonly Lot[] {
  if (service === undefined) return [];
  const told = Map.groupBy(service.units, keyOf);
  if (service.groups !== undefined)
    return service.groups.map((group) => ({ ...group, units: told.get(keyOf(group)) ?? [] }));
  return [...told.values()].map((units) => {
    const { path, environment, site, host } = units[0]!;
    const byState: Lot['byState'] = {};
    for (const { state } of units) byState[state] = (byState[state] ?? 0) + 1;
    return { path, environment, site, host, count: units.length, byState, units };
  });
}

const keyOf = ({ path, site, host }: Pick<Unit, 'path' | 'site' | 'host'>) => `${site}/${host} ${path}`;
