import { SuperfluidityError } from '@superfluidity/core';
import type { Requirements, Site } from '@superfluidity/model';

/**
 * Sites that stand for the tiers and sites that a descriptor names: `{edge: linux1, core: cloud1}`. Who deploys says it where several sites
 * have a tier, or none has; it holds for the service from then on.
 */
export type StandIns = Readonly<Record<string, string>>;

/** The sites that may be used: those that stand for something, and those that are asked for by name. */
export function standingIn(
  sites: readonly Site[],
  standIns: StandIns | undefined,
  others: readonly string[],
  doing: string,
): readonly Site[] {
  if (standIns === undefined) return sites;
  const unknown = Object.values(standIns).find((name) => sites.every((site) => site.name !== name));
  if (unknown !== undefined) {
    throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
      doing,
      reason: `there is no site '${unknown}'`,
      hint: `Sites are: ${sites.map((site) => site.name).join(', ') || 'none yet'}.`,
    });
  }
  const allowed = new Set([...Object.values(standIns), ...others]);
  return sites.filter((site) => allowed.has(site.name));
}

/** What asks for a tier, or for a site by its name, asks for the site that stands for it. */
export function withStandIn(requirements: Requirements, standIns: StandIns | undefined): Requirements {
  const { location } = requirements;
  if (location === undefined || standIns === undefined) return requirements;
  const { tier, sites, ...rest } = location;
  const standIn = tier === undefined ? undefined : standIns[tier];
  const named = standIn === undefined ? sites?.map((name) => standIns[name] ?? name) : [standIn];
  const asked = {
    ...(tier === undefined || standIn !== undefined ? {} : { tier }),
    ...(named === undefined ? {} : { sites: named }),
  };
  return { ...requirements, location: { ...rest, ...asked } };
}
