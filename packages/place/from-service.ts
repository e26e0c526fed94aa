import { type Service, splitPortReference, type UnitInService, unitsOf } from '@superfluidity/model';
import type { PlacementChain, UnitToPlace } from './request.ts';

/** What there is to place of a service: as many instances of each unit as its scale starts with, unless told otherwise. */
export function unitsToPlace(
  service: Service,
  instances?: (path: string) => number | undefined,
): readonly UnitToPlace[] {
  return unitsOf(service).flatMap((each) => {
    const count = instances?.(each.path) ?? each.unit.scale?.initial ?? 1;
    return Array.from({ length: count }, (_, index) => unitToPlace(each, index));
  });
}

/** One instance of a unit. */
export function unitToPlace({ path, unit, inside, requirements }: UnitInService, index: number): UnitToPlace {
  // A unit without execution does not pass `checkService`.
  const { environment, nested } = unit.execution!;
  const mandatory = nested?.parentMandatory === true && nested.parent !== 'none' ? nested.parent : undefined;
  const parent = inside ?? mandatory;
  const on =
    nested?.parent === 'none'
      ? 'metal'
      : nested?.parentMandatory === true && parent === undefined
        ? 'virtual'
        : undefined;
  return {
    path,
    index,
    environment,
    requirements,
    ...(parent === undefined ? {} : { inside: parent }),
    ...(on === undefined ? {} : { on }),
  };
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
