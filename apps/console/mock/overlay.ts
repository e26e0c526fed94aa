import type { Overlay, ServiceDetail } from '@superfluidity/api';

const routerSid = (site: string): string => `fd00:${site === 'edge' ? 1 : 2}::1`;

/** What the sites of the demo would have been told of its chains. */
export function overlayOf(service: ServiceDetail): Overlay {
  const sites = [...new Set(service.units.map(({ site }) => site))];
  const hops = service.chains.flatMap((chain) => chain.hops.map((hop, i) => ({ chain, hop, next: chain.hops[i + 1] })));
  return {
    service: service.name,
    routers: sites.map((site) => ({ site, sid: routerSid(site), locator: `fd00:${site === 'edge' ? 1 : 2}::/48` })),
    segments: hops.map(({ hop }) => ({ sid: hop.sid, unit: hop.unit, port: 'eth0', site: hop.site })),
    routes: hops.flatMap(({ chain, hop, next }) => {
      if (next === undefined) return [];
      const both = [
        [hop, next, 'forward', `${chain.address}/32`],
        [next, hop, 'reverse', '10.20.1.10/32'],
      ] as const;
      return both.map(([from, to, direction, destination]) => ({
        chain: chain.name,
        version: chain.version,
        direction,
        site: from.site,
        from: from.unit,
        destination,
        via: from.site === to.site ? [to.sid] : [routerSid(to.site), to.sid],
      }));
    }),
  };
}
