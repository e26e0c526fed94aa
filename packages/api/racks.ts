import type { HostLoad, Rack, RackServer } from './types.ts';

/** Hosts that say no rack stand in rows of as many as a rack has room for (42 units, EIA-310). */
const RACK_UNITS = 42;
const FULL_PERCENT = 80;

/** The racks of a site with their servers, each from its top to its bottom. */
export function racksOf(site: HostLoad): readonly Rack[] {
  const named = new Map<string, RackServer[]>();
  const others: RackServer[] = [];
  for (const [i, host] of site.hosts.entries()) {
    const server = { host, cpu: site.cpu[i]!, memory: site.memory[i]!, unit: site.rackUnits?.[i] ?? 0 };
    const rack = site.racks?.[i] ?? '';
    if (rack === '') others.push(server);
    else if (named.has(rack)) named.get(rack)!.push(server);
    else named.set(rack, [server]);
  }
  const racks = [...named].map(([name, servers]) => rackOf(site.site, name, fromTop(servers)));
  const rows = Array.from({ length: Math.ceil(others.length / RACK_UNITS) }, (_, i) => {
    const servers = others.slice(i * RACK_UNITS, (i + 1) * RACK_UNITS);
    const name = `in no rack, ${i * RACK_UNITS + 1}–${i * RACK_UNITS + servers.length}`;
    return { ...rackOf(site.site, name, servers), isRow: true as const };
  });
  return [...racks, ...rows];
}

function rackOf(site: string, name: string, servers: RackServer[]): Rack {
  const open = servers.filter(({ cpu }) => cpu >= 0);
  const mean = (of: (server: RackServer) => number) =>
    open.length === 0 ? 0 : Math.round((open.reduce((sum, one) => sum + of(one), 0) / open.length) * 10) / 10;
  const full = open.filter(({ cpu, memory }) => Math.max(cpu, memory) >= FULL_PERCENT).length;
  return { site, name, servers, full, cpu: mean(({ cpu }) => cpu), memory: mean(({ memory }) => memory) };
}

const order = new Intl.Collator('en', { numeric: true });

const fromTop = (servers: readonly RackServer[]): RackServer[] =>
  servers.toSorted((a, b) => b.unit - a.unit || order.compare(a.host, b.host));

/** By which racks come in the order in which people count, r2 before r10, and rows of others behind them. */
export function rackKey({ name, isRow }: Pick<Rack, 'name' | 'isRow'>): string {
  const counted = name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'));
  return `${isRow === true ? 1 : 0} ${counted}`;
}
