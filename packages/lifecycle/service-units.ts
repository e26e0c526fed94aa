import { SuperfluidityError } from '@superfluidity/core';
import { resolveUnits, type Service, unitsOf } from '@superfluidity/model';
import type { WantedUnit } from './grant.ts';
import type { Placed, Situation } from './transition.ts';

/** Where the units of a service are. */
export function placedOf({ situation }: { readonly situation: Situation }): readonly Placed[] {
  return situation.units.map(({ site, spec: { path, index, host } }) => ({ path, index, site, host }));
}

export function pin({ path, index, site, host }: Placed): WantedUnit {
  return { path, index, at: { site, host } };
}

/** Those of a function, or the one that is named. */
export function someUnits(service: Service, reference: string, doing: string) {
  const found = resolveUnits(service, reference);
  if (found.length > 0) return found;
  throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
    doing,
    reason: `the service has no function or unit '${reference}'`,
    hint: `Its units are: ${unitsOf(service)
      .map(({ path }) => path)
      .join(', ')}.`,
  });
}

export function oneUnit(service: Service, reference: string, doing: string) {
  const found = someUnits(service, reference, doing);
  if (found.length === 1) return found[0]!;
  throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
    doing,
    reason: `'${reference}' has several units`,
    hint: `Name one of them: ${found.map(({ path }) => path).join(', ')}.`,
  });
}
