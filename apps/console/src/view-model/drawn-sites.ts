import type { Host, HostLoad, ServiceDetail, Site, SiteDetail, SiteLink } from '@superfluidity/api';
import { bySitePosition, namesAround } from './topology.ts';

export type DrawnHost = Pick<Host, 'name' | 'cpu' | 'memoryMiB' | 'used' | 'schedulable' | 'rack'>;

/** What a picture has to know of a site. */
export type DrawnSite = Pick<
  SiteDetail,
  'name' | 'tier' | 'kind' | 'healthy' | 'hostCount' | 'unitCount' | 'capacity' | 'used'
> & { readonly hosts: readonly DrawnHost[] };

export const DRAWN_LIMITS = {
  /** Sites that a picture has at once: a text chooses among more. */
  sites: 24,
  /** A site with more hosts is asked for their load alone. */
  hostsDetailed: 500,
} as const;

export interface ChosenSites {
  readonly chosen: readonly Site[];
  /** Those that could be shown. */
  readonly of: number;
}

/** Those of a service come first, then those that are linked to them; without a service all, from the users to the core. */
export function chooseSites(
  all: readonly Site[],
  links: readonly SiteLink[],
  service: ServiceDetail | undefined,
  text: string,
): ChosenSites {
  const { own, near } = namesAround(links, service);
  const rank = ({ name }: Site) => (own.has(name) ? 0 : 1);
  const wanted = text.toLowerCase();
  const found = all
    .filter(({ name }) => (own.size === 0 || own.has(name) || near.has(name)) && name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || bySitePosition(a, b));
  return { chosen: found.slice(0, DRAWN_LIMITS.sites), of: found.length };
}

export const isLarge = ({ hostCount }: Pick<Site, 'hostCount'>): boolean => hostCount > DRAWN_LIMITS.hostsDetailed;

/** Of a large site the load of its hosts is known, in percent: each is drawn as if it had a hundred of everything. */
export function largeSite(site: Site, load: HostLoad | undefined): DrawnSite {
  const hosts = (load?.hosts ?? []).map((name, i): DrawnHost => {
    const cpu = load!.cpu[i]!;
    const rack = load!.racks?.[i] ?? '';
    return {
      name,
      cpu: 100,
      memoryMiB: 100,
      used: { cpu: Math.max(0, cpu), memoryMiB: load!.memory[i]!, storageMiB: 0 },
      schedulable: cpu >= 0,
      ...(rack === '' ? {} : { rack }),
    };
  });
  return { ...site, hosts };
}
