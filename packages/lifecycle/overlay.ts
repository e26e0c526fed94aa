import type { Overlay } from '@superfluidity/api';
import { renderChain } from '@superfluidity/fabric';
import type { SiteDriver } from '@superfluidity/site';
import type { PlannedChain, PlannedHop } from './actions.ts';
import type { UnitRecord } from './unit-records.ts';

/** What the sites of a service were told of its chains, as one value: segments, and which routes lead over them. */
export async function overlayOf(
  service: string,
  chains: readonly PlannedChain[],
  records: ReadonlyMap<string, UnitRecord>,
  driver: (site: string) => Promise<SiteDriver>,
): Promise<Overlay> {
  const sites = new Set([
    ...chains.flatMap(({ hops }) => hops.map(({ site }) => site)),
    ...[...records.values()].map(({ planned }) => planned.site),
  ]);
  const routers = new Map<string, { readonly sid: string; readonly locator: string }>();
  for (const site of sites) {
    // A site that does not answer has chains over it all the same: they are shown without its router.
    const print = await driver(site)
      .then((open) => open.fingerprint())
      .catch(() => undefined);
    if (print !== undefined) routers.set(site, { sid: print.routerSid, locator: print.locator });
  }
  const unitOfPort = new Map<string, string>();
  const segments = new Map<string, Overlay['segments'][number]>();
  const routes: Overlay['routes'] = [];
  for (const chain of chains) {
    const hops = chain.hops.flatMap((hop) => {
      const port = records.get(hop.unitId)?.ports.find((each) => each.id === hop.port);
      const router = routers.get(hop.site);
      return port === undefined || router === undefined ? [] : [{ ...withoutOthers(hop), port, routerSid: router.sid }];
    });
    // While an operation is under way a hop may not be there yet.
    if (hops.length < chain.hops.length) continue;
    for (const { unitId, port, site } of hops) {
      unitOfPort.set(port.id, unitId);
      segments.set(port.sid, { sid: port.sid, unit: unitId, port: port.name, site });
    }
    for (const path of renderChain({ chainId: chain.id, version: chain.version, chain, hops })) {
      for (const { match, segments: via } of [...path.classifiers, ...path.steers]) {
        routes.push({
          chain: chain.name,
          version: chain.version,
          direction: match.direction,
          site: path.site,
          from: unitOfPort.get(match.fromPort) ?? match.fromPort,
          destination: match.destination,
          via: [...via],
        });
      }
    }
  }
  return {
    service,
    routers: [...routers].map(([site, router]) => ({ site, ...router })),
    segments: [...segments.values()],
    routes,
  };
}

/** Where flows are spread over instances, the first one stands for them. */
function withoutOthers({ others: _others, ...hop }: PlannedHop): Omit<PlannedHop, 'others'> {
  return hop;
}
