import type { Unit } from '@superfluidity/api';
import { unitView } from './service-view.ts';
import type { Services } from './services.ts';
import { namedUnits } from './unit-metrics.ts';
import type { UnitRecords } from './unit-records.ts';

/** The unit that a name means, the first one where it means several. */
export type FindUnit = (service: string, name: string) => Promise<Unit>;

export function unitFinder(units: Pick<UnitRecords, 'get'>, services: Pick<Services, 'show'>): FindUnit {
  return async (service, name) => {
    // The console knows ids: of a service with thousands of units, one is read then.
    const known = (await units.get([name])).get(name);
    if (known?.planned.spec.service === service) return unitView(known);
    return namedUnits(service, (await services.show(service)).units, name)[0]!;
  };
}
