import type { Overlay, ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../../view-model/drawn-sites.ts';
import { type GraphMaker, linkId, portId } from './graph-maker.ts';
import { wayOver } from './way-over.ts';

export interface OverlayInput {
  readonly service: ServiceDetail | undefined;
  readonly overlay: Overlay | undefined;
  readonly links: readonly SiteLink[];
  readonly sites: readonly DrawnSite[];
  readonly memberOf: (unit: string, site: string) => string | undefined;
}

/** Routers, the parts of networks that they route, segments, and the tunnels between routers. */
export function overlayNodes(maker: GraphMaker, input: OverlayInput): void {
  const { service, overlay } = input;
  const sidOf = new Map(overlay?.routers.map(({ site, sid }) => [site, sid]));
  for (const { name } of input.sites) {
    maker.add({
      id: `router:${name}`,
      kind: 'router',
      name,
      about: sidOf.get(name) ?? 'no chain',
      site: name,
    });
    maker.stand(`router:${name}`, `site:${name}`);
  }
  for (const { name, parts } of service?.networks ?? []) {
    for (const { site, prefix } of parts) {
      const id = `part:${name}@${site}`;
      maker.add({ id, kind: 'part', name: prefix, about: `of ${name}`, site });
      maker.stand(id, `router:${site}`);
      maker.stand(id, `network:${name}`);
    }
  }
  if (overlay === undefined) return;
  for (const { sid, unit, port, site } of overlay.segments) {
    const id = segmentId(sid);
    maker.add({ id, kind: 'segment', name: sid, about: 'End.DX4', site });
    maker.stand(id, `router:${site}`);
    const member = input.memberOf(unit, site);
    if (member === undefined) continue;
    const reached = maker.has(portId(member, port)) ? portId(member, port) : `unit:${member}`;
    maker.stand(reached, id);
  }
  tunnels(maker, input, overlay);
  for (const [chain, hops] of hopsOf(overlay)) {
    const colour = input.service?.chains.findIndex(({ name }) => name === chain) ?? 0;
    for (const sid of hops) maker.stand(`chain:${chain}`, segmentId(sid), 'unseen');
    for (const [i, sid] of hops.entries())
      if (i > 0) maker.edges.push({ from: segmentId(hops[i - 1]!), to: segmentId(sid), colour });
  }
}

const segmentId = (sid: string): string => `segment:${sid}`;

/** A route that visits the router of another site goes through a tunnel to it, over the links on the way. */
function tunnels(maker: GraphMaker, { links, memberOf }: OverlayInput, overlay: Overlay): void {
  const siteOfRouter = new Map(overlay.routers.map(({ site, sid }) => [sid, site]));
  const segments = new Map(overlay.segments.map((segment) => [segment.sid, segment]));
  for (const { site, via, chain, from } of overlay.routes) {
    const to = siteOfRouter.get(via[0] ?? '');
    if (to === undefined || to === site) continue;
    const [a, b] = [site, to].toSorted() as [string, string];
    const id = `tunnel:${a}~${b}`;
    if (!maker.has(id)) {
      maker.add({ id, kind: 'tunnel', name: `${a} – ${b}`, about: 'SRv6' });
      maker.touch(id, `router:${a}`);
      maker.touch(id, `router:${b}`);
      for (const link of wayOver(links, a, b)) maker.stand(id, linkId(link));
    }
    maker.stand(`chain:${chain}`, id, 'unseen');
    const end = segments.get(via.at(-1) ?? '');
    for (const [unit, at] of [[from, site], ...(end === undefined ? [] : [[end.unit, end.site]])] as [
      string,
      string,
    ][]) {
      const member = memberOf(unit, at);
      if (member !== undefined) maker.stand(`unit:${member}`, id, 'unseen');
    }
  }
}

/** The segments of each chain in the order of its forward direction: each route leads from one unit to the next. */
function hopsOf(overlay: Overlay): ReadonlyMap<string, readonly string[]> {
  const segments = new Map(overlay.segments.map((segment) => [segment.sid, segment]));
  const found = new Map<string, readonly string[]>();
  for (const [chain, routes] of Map.groupBy(
    overlay.routes.filter(({ direction }) => direction === 'forward'),
    (route) => route.chain,
  )) {
    const next = new Map(routes.map((route) => [route.from, route.via.at(-1)!]));
    const reached = new Set(routes.map((route) => segments.get(route.via.at(-1)!)?.unit));
    const hops: string[] = [];
    let unit = routes.find((route) => !reached.has(route.from))?.from;
    // Bounded by the number of routes: a chain that came back to a unit would else go round for ever.
    for (let i = 0; unit !== undefined && i < routes.length; i += 1) {
      const sid = next.get(unit);
      if (sid === undefined) break;
      hops.push(sid);
      unit = segments.get(sid)?.unit;
    }
    found.set(chain, hops);
  }
  return found;
}
