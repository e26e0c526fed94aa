import type { HostLoad } from '@superfluidity/api';

export interface Rack {
  readonly name: string;
  /** From the top of the rack to its bottom. */
  readonly servers: readonly Server[];
}

export interface Server {
  readonly host: string;
  /** Percent; below 0: takes no units. */
  readonly load: number;
  /** From the bottom; 0: not known. */
  readonly unit: number;
}

/** Hosts that say no rack stand in rows of as many as a rack has room for (42 units, EIA-310). */
const RACK_UNITS = 42;

/** The racks of a site with their servers, in the order in which people count: r2 before r10. */
export function racksOf(site: HostLoad, by: 'cpu' | 'memory'): readonly Rack[] {
  const named = new Map<string, Server[]>();
  const others: Server[] = [];
  for (const [i, host] of site.hosts.entries()) {
    const load = site.cpu[i]! < 0 ? -1 : site[by][i]!;
    const server = { host, load, unit: site.rackUnits?.[i] ?? 0 };
    const rack = site.racks?.[i] ?? '';
    if (rack === '') others.push(server);
    else if (named.has(rack)) named.get(rack)!.push(server);
    else named.set(rack, [server]);
  }
  const racks = [...named]
    .sort(([a], [b]) => byCount(a, b))
    .map(([name, servers]) => ({ name, servers: fromTop(servers) }));
  const rows = Array.from({ length: Math.ceil(others.length / RACK_UNITS) }, (_, i): Rack => {
    const servers = others.slice(i * RACK_UNITS, (i + 1) * RACK_UNITS);
    return { name: `in no rack, ${i * RACK_UNITS + 1}–${i * RACK_UNITS + servers.length}`, servers };
  });
  return [...racks, ...rows];
}

const order = new Intl.Collator('en', { numeric: true });
const byCount = (a: string, b: string): number => order.compare(a, b);

const fromTop = (servers: readonly Server[]): readonly Server[] =>
  servers.toSorted((a, b) => b.unit - a.unit || byCount(a.host, b.host));

export interface RackPage {
  readonly racks: readonly Rack[];
  readonly first: number;
  readonly total: number;
  readonly pages: number;
  readonly page: number;
}

export const RACKS_SHOWN = 24;

/** A part of the racks whose name, or one of whose servers, has the text in it. */
export function pageOfRacks(racks: readonly Rack[], text: string, asked: number): RackPage {
  const wanted = text.toLowerCase();
  const found =
    wanted === ''
      ? racks
      : racks.filter(
          ({ name, servers }) =>
            name.toLowerCase().includes(wanted) || servers.some(({ host }) => host.toLowerCase().includes(wanted)),
        );
  const pages = Math.max(1, Math.ceil(found.length / RACKS_SHOWN));
  const page = Math.min(pages, Math.max(1, Math.floor(asked) || 1));
  const first = (page - 1) * RACKS_SHOWN;
  return { racks: found.slice(first, first + RACKS_SHOWN), first, total: found.length, pages, page };
}

export const fullOf = (rack: Rack): number => rack.servers.filter(({ load }) => load >= FULL_PERCENT).length;
export const FULL_PERCENT = 80;
