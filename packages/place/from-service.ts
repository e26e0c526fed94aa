import { splitPortReference, unitsOf, type Service } from '@superfluidity/model';
import type { PlacementChain, UnitToPlace } from './request.ts';

/** What there is to place of a service: as many instances of each unit as its scale starts with, unless told otherwise. */
export function unitsToPlace(
  service: Service,
  instances?: (path: string) => number | undefined,
): readonly UnitToPlace[] {
  return unitsOf(service).flatMap(({ path, unit, inside, requirements }) => {
    const nested = unit.execution?.nested;
    const mandatory = nested?.parentMandatory === true && nested.parent !== 'none' ? nested.parent : undefined;
    const parent = inside ?? mandatory;
    const count = instances?.(path) ?? unit.scale?.initial ?? 1;
    return Array.from({ length: count }, (_, index): UnitToPlace => {
      // A unit without execution does not pass `checkService`.
      const { environment } = unit.execution!;
      return { path, index, environment, requirements, ...(parent === undefined ? {} : { inside: parent }) };
    });
  });
}

/** The chains of a service as placement sees them. */
export function chainsToPlace(service: Service): readonly PlacementChain[] {
  return service.chains.map(({ name, from, through, to, latencyMaxMs, latencyDesiredMs, bandwidthMbps }) => ({
    name,
    hops: [from, ...through, to].map((reference) => splitPortReference(reference).path),
    ...(latencyMaxMs === undefined ? {} : { latencyMaxMs }),
    ...(latencyDesiredMs === undefined ? {} : { latencyDesiredMs }),
    ...(bandwidthMbps === undefined ? {} : { bandwidthMbps }),
  }));
}
