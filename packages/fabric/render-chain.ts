import { isIPv6 } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import type { Chain } from '@superfluidity/model';
import { prefixHas } from '@superfluidity/model';
import { addressOf, prefixOf } from './ipv4.ts';
import type { Classifier, Match, PortStatus, SitePath, Spread, Steer } from './types.ts';

/**
 * Turns a chain into what each site has to install. Functions know nothing of SRv6: the host in front of every hop
 * decapsulates at the SID of the hop's port (End.DX4, RFC 8986 section 4.5) and encapsulates what leaves that port for
 * the chain (H.Encaps, section 5.1) with the segments to the next hop:
 *
 *     same site     [next port]
 *     other site    [router of the next site, next port]      the router runs End, section 4.1
 *
 * Forward, everything is addressed to the chain's service address. Backward, packets are addressed to the source that
 * the hop saw: the port of `from`, or the port of the last function before it that translates (source NAT).
 *
 * ## Versions
 *
 * Two versions of a chain share hops, and from a shared hop their segments may differ (firewall -> video in the core
 * in version 1, firewall -> video at the edge in version 2). Nothing in a packet tells the version. Each host decides by
 * its own connection tracking, for both directions of a flow alike:
 *
 * 1. a flow that the host knows keeps the version that it has there (conntrack mark), also when replies come first;
 * 2. a flow that is new to the host takes the version that is active there, among those with a match for the port;
 *    where the active version has no match for the port, the highest installed version that has one;
 * 3. hosts are activated in the order of `activationOrder`: the site of the classifier last, and within one site the
 *    steers before the classifier.
 *
 * From this follows the invariant on which moving a function rests: **a flow that has version v at the classifier has
 * version v at every hop.** (It began after the classifier was activated, hence after every other host was.) So a
 * version with no flows at its classifiers, which is what `countFlows` counts, carries no packets anywhere, and what only
 * it leads to can be removed. The converse does not hold: a flow that begins while hosts are being activated may have
 * the old version at the classifier and the new one further on. It is delivered, since both versions are installed
 * everywhere by then, and it is counted as old. What it may see is one way by the old and the other by the new functions;
 * a stateful function that was itself replaced can then drop it. `ensurePath` on all sites precedes the first activation.
 */
export interface ChainRequest {
  readonly chainId: string;
  readonly version: number;
  readonly chain: Pick<Chain, 'address' | 'protocol' | 'ports'>;
  /** From, through, to: in the order of the forward direction. */
  readonly hops: readonly ChainHop[];
}

export interface ChainHop {
  readonly site: string;
  readonly port: PortStatus;
  /** SID of the router of the hop's site. */
  readonly routerSid: string;
  /** The function rewrites sources in this prefix to the address of its port (source NAT). */
  readonly translates?: string;
  /** Ports of further instances of the function at this site. */
  readonly others?: readonly string[];
}

/** One `SitePath` for each site that the chain touches, in the order in which the forward direction first enters them. */
export function renderChain(request: ChainRequest): readonly SitePath[] {
  checkChain(request);
  const { chainId, version, hops } = request;
  const sources = sourcesSeen(hops);
  const sites = new Map<
    string,
    { classifiers: Classifier[]; steers: Steer[]; endpoints: SitePath['endpoints'][number][]; spreads: Spread[] }
  >();

  for (const [index, hop] of hops.entries()) {
    let part = sites.get(hop.site);
    if (part === undefined) {
      part = { classifiers: [], steers: [], endpoints: [], spreads: [] };
      sites.set(hop.site, part);
    }
    const { id: portId, sid, address, network } = hop.port;
    part.endpoints.push({ portId, sid, address, network });
    if (hop.others !== undefined && hop.others.length > 0) part.spreads.push({ portId, others: hop.others });

    const next = hops[index + 1];
    if (next !== undefined) {
      const rule = {
        id: `${chainId}/${version}/forward/${index}`,
        match: matchOf(request, hop, request.chain.address, 'forward'),
        segments: segmentsTo(hop, next),
      };
      (index === 0 ? part.classifiers : part.steers).push(rule);
    }
    const previous = hops[index - 1];
    if (previous !== undefined) {
      part.steers.push({
        id: `${chainId}/${version}/reverse/${index}`,
        match: matchOf(request, hop, sources[index]!, 'reverse'),
        segments: segmentsTo(hop, previous),
      });
    }
  }
  return [...sites].map(([site, { spreads, ...part }]) => ({
    chainId,
    version,
    site,
    ...part,
    ...(spreads.length === 0 ? {} : { spreads }),
  }));
}

/**
 * The order in which the sites of one version are activated: those furthest along the forward direction first, the one
 * with the classifier last in any case. Paths are removed in the opposite order.
 */
export function activationOrder(paths: readonly SitePath[]): readonly SitePath[] {
  const furthest = furthestHops(paths);
  const rank = (path: SitePath) => (path.classifiers.length > 0 ? -1 : (furthest.get(path.site) ?? 0));
  return paths.toSorted((a, b) => rank(b) - rank(a));
}

/** Follows the forward direction and notes for each site the last position at which it is visited. */
function furthestHops(paths: readonly SitePath[]): ReadonlyMap<string, number> {
  const endpoints = new Map(
    paths.flatMap((path) => path.endpoints.map((end) => [end.sid, { site: path.site, portId: end.portId }] as const)),
  );
  const forward = new Map(
    paths
      .flatMap((path) => [...path.classifiers, ...path.steers])
      .filter((rule) => rule.match.direction === 'forward')
      .map((rule) => [rule.match.fromPort, rule.segments.at(-1)] as const),
  );
  const furthest = new Map<string, number>();
  let port = paths.flatMap((path) => path.classifiers)[0]?.match.fromPort;
  for (let position = 1; position <= forward.size && port !== undefined; position += 1) {
    const end = endpoints.get(forward.get(port) ?? '');
    if (end !== undefined) furthest.set(end.site, position);
    port = end?.portId;
  }
  return furthest;
}

function matchOf({ chain }: ChainRequest, hop: ChainHop, destination: string, direction: Match['direction']): Match {
  return {
    fromPort: hop.port.id,
    destination: `${destination}/32`,
    protocol: chain.protocol,
    ports: chain.ports,
    direction,
    ...(direction === 'reverse' ? { source: `${chain.address}/32` } : {}),
  };
}

function segmentsTo(here: ChainHop, there: ChainHop): readonly string[] {
  return here.site === there.site ? [there.port.sid] : [there.routerSid, there.port.sid];
}

/** The source address of forward packets as they come in at each hop; where the replies of that hop go. */
function sourcesSeen(hops: readonly ChainHop[]): readonly string[] {
  let source = hops[0]!.port.address;
  return hops.map((hop, index) => {
    const seen = source;
    const translates =
      index > 0 && hop.translates !== undefined && prefixHas(prefixOf(hop.translates), addressOf(source));
    if (translates) source = hop.port.address;
    return seen;
  });
}

function checkChain({ chainId, version, chain, hops }: ChainRequest): void {
  const refuse = (code: 'SF-FABRIC-CHAIN' | 'SF-FABRIC-SID', reason: string, data: Record<string, unknown> = {}) => {
    throw new SuperfluidityError(code, { doing: `render chain ${chainId} version ${version}`, reason, data });
  };
  if (hops.length < 2) refuse('SF-FABRIC-CHAIN', `a chain has at least 2 hops, this one has ${hops.length}`);
  if (!Number.isSafeInteger(version) || version < 1) refuse('SF-FABRIC-CHAIN', 'versions count from 1');
  addressOf(chain.address);
  const wrongPort = chain.ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (wrongPort !== undefined) refuse('SF-FABRIC-CHAIN', `${wrongPort} is not a port number`);
  if (chain.protocol === 'any' && chain.ports.length > 0) {
    refuse('SF-FABRIC-CHAIN', 'port numbers have no meaning without a protocol: say tcp or udp');
  }

  const routerOf = new Map<string, string>();
  const seen = new Map<string, string>();
  for (const [index, { site, port, routerSid }] of hops.entries()) {
    for (const sid of [port.sid, routerSid]) {
      if (!isIPv6(sid))
        refuse('SF-FABRIC-SID', `'${sid}' at port ${port.id} is not an IPv6 address`, { port: port.id });
    }
    if ((routerOf.get(site) ?? routerSid) !== routerSid) {
      refuse('SF-FABRIC-SID', `site ${site} is said to have two routers`, { site });
    }
    routerOf.set(site, routerSid);
    addressOf(port.address);
    for (const unique of [`port ${port.id}`, `SID ${port.sid}`, `address ${port.address}`]) {
      const other = seen.get(unique);
      if (other !== undefined)
        refuse('SF-FABRIC-CHAIN', `${unique} stands at hops ${other} and ${index}`, { port: port.id });
      seen.set(unique, String(index));
    }
    // A reply to the service address itself would look like a request.
    if (port.address === chain.address && index < hops.length - 1) {
      refuse('SF-FABRIC-CHAIN', `port ${port.id} at hop ${index} has the service address ${chain.address}`);
    }
  }
}
