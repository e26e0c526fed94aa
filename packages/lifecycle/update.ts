import { SuperfluidityError } from '@superfluidity/core';
import { type Service, unitsOf } from '@superfluidity/model';
import type { WantedUnit } from './grant.ts';
import type { Placed } from './transition.ts';

/**
 * The units of a service whose descriptor changes: they stay where they are, as many as there are as far as that is allowed;
 * what is new in the descriptor is to be placed.
 */
export function wantedAfter(next: Service, old: Service, placed: readonly Placed[]): readonly WantedUnit[] {
  const here = Map.groupBy(placed, ({ path }) => path);
  const known = new Set(unitsOf(old).map(({ path }) => path));
  return unitsOf(next).flatMap(({ path, unit }): WantedUnit[] => {
    const { initial, min, max } = unit.scale ?? { initial: 1, min: 1, max: 1 };
    const mine = (here.get(path) ?? []).toSorted((a, b) => a.index - b.index);
    const count = known.has(path) ? Math.min(max, Math.max(min, mine.length)) : initial;
    const kept = mine.slice(0, count);
    const used = new Set(kept.map(({ index }) => index));
    const fresh: WantedUnit[] = [];
    for (let index = 0; kept.length + fresh.length < count; index += 1)
      if (!used.has(index)) fresh.push({ path, index });
    return [...kept.map(({ index, site, host }) => ({ path, index, at: { site, host } })), ...fresh];
  });
}

export function changedMeanwhile(name: string, reason: string, data: Record<string, unknown>): SuperfluidityError {
  return new SuperfluidityError('SF-LIFECYCLE-CHANGED', {
    doing: `update ${name}`,
    reason,
    hint: 'Look at the service as it is now, and make the change again.',
    data,
  });
}
