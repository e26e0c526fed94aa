import type { Unit, UnitMetrics } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Sites } from './sites.ts';

/** How many units an error names. */
const NAMED_MAX = 20;

/** Those that a name means: one by its id or `path#index`, all instances by the path. At least one. */
export function namedUnits(service: string, units: readonly Unit[], name: string): readonly Unit[] {
  const one = units.find((each) => each.id === name || `${each.path}#${each.index}` === name);
  if (one !== undefined) return [one];
  const found = units.filter((each) => each.path === name || each.path === `${name}/${name}`);
  if (found.length > 0) return found;
  const names = units.slice(0, NAMED_MAX).map((each) => `${each.path}#${each.index}`);
  throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', {
    doing: `find unit ${name}`,
    reason: `service ${service} has no such unit`,
    hint: `Its units are: ${names.join(', ')}${units.length > names.length ? ', …' : ''}.`,
  });
}

/** All of them when none is named. */
export function chosenUnits(
  service: string,
  units: readonly Unit[],
  names: readonly string[] | undefined,
): readonly Unit[] {
  if (names === undefined) return units;
  return [...new Set(names.flatMap((name) => namedUnits(service, units, name)))];
}

/** Each site is asked once. Of sites that do not answer, or that measure nothing, nothing is told. */
export async function readUnitMetrics(sites: Sites, units: readonly Unit[]): Promise<readonly UnitMetrics[]> {
  const bySite = Map.groupBy(units, (unit) => unit.site);
  const read = await Promise.all(
    [...bySite].map(async ([site, there]) => {
      const metrics = await sites
        .drivers()
        .get(site)
        ?.readMetrics?.(there.map(({ id }) => id))
        .catch(() => []);
      return metrics ?? [];
    }),
  );
  const metrics = new Map(read.flat().map((one) => [one.id, one]));
  return units.flatMap((unit) => {
    const found = metrics.get(unit.id);
    if (found === undefined) return [];
    const { id, path, index, site, host } = unit;
    return [{ ...found, id, path, index, site, host, ports: found.ports.map((port) => ({ ...port })) }];
  });
}
