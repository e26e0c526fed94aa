import { addressOf, type NetworkSpec, prefixOf, type SitePath } from '@superfluidity/fabric';
import { prefixHas } from '@superfluidity/model';
import type { Router, RouterRoute } from '@superfluidity/openstack';
import type { End, Opener } from './leg.ts';

/** What routers of Neutron, and the gateway, have to know so that packets go between the cloud and other sites. */

/**
 * Routes of the router of a network: the parts of the network, and of the others of its service, that other sites have lie
 * behind the gateway; service addresses of chains that end here are at the unit which ends them.
 */
export function routesFor(
  spec: NetworkSpec,
  gateway: string,
  far: readonly NetworkSpec[],
  paths: readonly SitePath[],
): readonly RouterRoute[] {
  const through = new Set([spec.supernet]);
  const isCovered = (prefix: string) =>
    [...through].some((one) => prefixHas(prefixOf(one), addressOf(prefix.split('/')[0]!)));
  for (const { service, prefix } of far) if (service === spec.service && !isCovered(prefix)) through.add(prefix);
  const direct: RouterRoute[] = [];
  for (const path of paths) {
    const end = path.endpoints.find(({ network }) => network === spec.id);
    if (end === undefined) continue;
    for (const { match } of path.steers) {
      if (match.direction !== 'reverse') continue;
      if (match.source !== undefined) direct.push({ destination: match.source, nexthop: end.address });
      if (!isCovered(match.destination)) through.add(match.destination);
    }
    for (const { match } of path.classifiers) if (!isCovered(match.destination)) through.add(match.destination);
  }
  return once([...[...through].map((destination) => ({ destination, nexthop: gateway })), ...direct]);
}

/** The routes that a router gets, where it has others: those that are not ours stay. Undefined: it has them. */
export function changedRoutes(
  there: readonly RouterRoute[],
  ours: readonly RouterRoute[],
  wanted: readonly RouterRoute[],
): readonly RouterRoute[] | undefined {
  const [before, after] = [new Set(ours.map(keyOf)), new Set(wanted.map(keyOf))];
  const foreign = there.filter((route) => !before.has(keyOf(route)) && !after.has(keyOf(route)));
  const next = [...foreign, ...wanted];
  const has = new Set(there.map(keyOf));
  return next.length === there.length && next.every((route) => has.has(keyOf(route))) ? undefined : next;
}

/** Where the router is in the external network, as far as the gateway is in the same subnet. */
export function outsideOf({ external_gateway_info: outside }: Router, gateway: string): string | undefined {
  const [host = '', length = ''] = gateway.split('/');
  const size = 2 ** (32 - Number(length));
  const at = addressOf(host);
  const prefix = { base: at - (at % size), length: Number(length) };
  return outside?.external_fixed_ips
    .map(({ ip_address: address }) => address)
    .find((address) => !address.includes(':') && prefixHas(prefix, addressOf(address)));
}

/** SIDs of the ends of chains that lie in these networks. */
export function endsOf(paths: readonly SitePath[], routers: ReadonlyMap<string, string>): readonly End[] {
  const ends = new Map<string, End>();
  for (const { endpoints } of paths) {
    for (const { sid, network } of endpoints) {
      const router = routers.get(network);
      if (router !== undefined) ends.set(sid, { sid, router });
    }
  }
  return [...ends.values()];
}

/** Of chains that begin in the cloud: nobody but their first unit may use them. */
export function openersOf(paths: readonly SitePath[]): readonly Opener[] {
  return paths.flatMap(({ classifiers, endpoints }) =>
    classifiers.flatMap(({ match }) => {
      const from = endpoints.find(({ portId }) => portId === match.fromPort);
      return from === undefined ? [] : [{ source: from.address, destination: match.destination.replace(/\/32$/, '') }];
    }),
  );
}

const keyOf = ({ destination, nexthop }: RouterRoute): string => `${destination} ${nexthop}`;

function once(routes: readonly RouterRoute[]): readonly RouterRoute[] {
  return [...new Map(routes.map((route) => [keyOf(route), route])).values()];
}
