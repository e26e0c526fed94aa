import { DRAWN_LIMITS, type DrawnHost } from '../../view-model/drawn-sites.ts';
import { formatAmount, formatPercent, share } from '../../view-model/format.ts';
import type { GraphMaker } from './graph-maker.ts';

export const IDLE_LIMITS = {
  /** Hosts of a site that are drawn one by one when nothing of the service is there. */
  hosts: 8,
  /** Racks of a site that are drawn one by one; of more, all hosts are one node. */
  racks: 24,
} as const;

/** Hosts without units of the service: few by themselves, more as one node for each rack, and else one for the site. */
export function idleNodes(maker: GraphMaker, site: string, idle: readonly DrawnHost[], room: number): void {
  const racks = Map.groupBy(idle, ({ rack = '' }) => rack);
  const byRack = racks.size <= IDLE_LIMITS.racks && idle.some(({ rack }) => rack !== undefined);
  const few = idle.length <= room;
  // Of very many, a few by themselves would say nothing of the others.
  const alone = few ? idle.length : byRack || idle.length > DRAWN_LIMITS.hostsDetailed ? 0 : room;
  for (const host of idle.slice(0, alone)) {
    const load = share(host.used.cpu, host.cpu);
    maker.add({
      id: `host:${site}/${host.name}`,
      kind: 'host',
      name: host.name,
      about: `CPU ${formatPercent(load)}${host.schedulable ? '' : ', takes no units'}`,
      site,
      load,
      ill: !host.schedulable,
    });
    maker.stand(`host:${site}/${host.name}`, `site:${site}`);
  }
  if (few) return;
  if (byRack)
    for (const [rack, hosts] of [...racks].sort(([a], [b]) => order.compare(a, b)))
      if (rack !== '') countNode(maker, site, `rack:${site}/${rack}`, 'rack', rack, hosts);
  const others = byRack ? (racks.get('') ?? []) : idle.slice(alone);
  if (others.length === 0) return;
  const name = formatAmount(others.length, 'more host');
  countNode(maker, site, `host:${site}/others`, 'host', name, others);
}

const order = new Intl.Collator('en', { numeric: true });

function countNode(
  maker: GraphMaker,
  site: string,
  id: string,
  kind: 'rack' | 'host',
  name: string,
  hosts: readonly DrawnHost[],
): void {
  const load = share(
    hosts.reduce((sum, { used }) => sum + used.cpu, 0),
    hosts.reduce((sum, { cpu }) => sum + cpu, 0),
  );
  const about = `CPU ${formatPercent(load)}`;
  maker.add({
    id,
    kind,
    name,
    about: kind === 'rack' ? `${formatAmount(hosts.length, 'host')}, ${about}` : about,
    site,
    load,
  });
  maker.stand(id, `site:${site}`);
}
