import type { Service } from './block.ts';
import { type UnitInService, unitsOf } from './graph.ts';

/** The names by which policies may call places: functions, units, networks. */
export function policyPlaces(service: Service): readonly string[] {
  const names = [
    ...service.block.children.map(({ name }) => name),
    ...unitsOf(service).map(({ path }) => path),
    ...service.networks.map(({ name }) => name),
  ];
  return [...new Set(names)];
}

/** The units that a policy means: those of the function, the unit itself with what is nested in it, or all on the network. */
export function unitsAtPlace(service: Service, place: string): readonly UnitInService[] {
  const units = unitsOf(service);
  const here = units.filter(({ path }) => path === place || path.startsWith(`${place}/`));
  if (here.length > 0) return here;
  return units.filter(({ unit }) => unit.ports.some(({ network }) => network === place));
}
