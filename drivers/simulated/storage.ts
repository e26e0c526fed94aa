import type { StorageTier } from '@superfluidity/model';
import type { SimulatedConfig } from './config.ts';
import type { SiteState } from './state.ts';

/** The tiers that were configured, with what units take of them. */
export function storageOf(
  tiers: SimulatedConfig['storage'],
  { hosts, units }: Pick<SiteState, 'hosts' | 'units'>,
): readonly StorageTier[] {
  const taken = tiers.map(() => new Map<string, number>());
  const tierOfHost = new Map<string, number>();
  const tierOf = (name: string): number => {
    const known = tierOfHost.get(name);
    if (known !== undefined) return known;
    const rack = hosts.get(name)?.host.rack;
    const found = tiers.findIndex(
      (tier) => (tier.host === undefined || tier.host === name) && (tier.rack === undefined || tier.rack === rack),
    );
    tierOfHost.set(name, found);
    return found;
  };
  for (const { spec } of units.values()) {
    if (spec.storageMiB === 0) continue;
    const ofTier = taken[tierOf(spec.host)];
    ofTier?.set(spec.service, (ofTier.get(spec.service) ?? 0) + spec.storageMiB);
  }
  return tiers.map((tier, i) => {
    const uses = [...taken[i]!].map(([service, mib]) => ({ what: `service ${service}`, mib }));
    const all = uses.reduce((sum, { mib }) => sum + mib, tier.usedMiB);
    return { ...tier, usedMiB: Math.min(tier.capacityMiB, all), uses };
  });
}
