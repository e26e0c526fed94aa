import type { Unit } from '@superfluidity/api';
import { unitView } from './service-view.ts';
import type { Services } from './services.ts';
import { namedUnits } from './unit-metrics.ts';
import type { UnitRecords } from './unit-records.ts';

/** The unit that people name: by id, `path#index`, path, or the name of a function with one unit of that name. */
export type FindUnit = (doing: string, service: string, name: string) => Promise<Unit>;

export function unitFinder(units: Pick<UnitRecords, 'get'>, services: Pick<Services, 'show'>): FindUnit {
  return async (doing, service, name) => {
    // The console knows ids: of a service with thousands of units, one is read then.
    const known = (await units.get([name])).get(name);
    if (known?.planned.spec.service === service) return unitView(known);
    return namedUnits(doing, service, (await services.show(service)).units, name)[0]!;
  };
}
