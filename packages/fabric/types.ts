import type { Mbps, Milliseconds, Fraction } from '@superfluidity/core';
import type { BalancerHealth, BalancerSettings, PortQuality, TrafficRule } from '@superfluidity/model';

/** What is wanted of a site's network. Backends realise it: linux, neutron, simulated. */

/** The part of a service's network that lies in one site. Hosts route between their parts; units on a host share a bridge. */
export interface NetworkSpec {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  /** This site's part of the network's prefix, for example 10.60.1.0/24. No two sites share addresses. */
  readonly prefix: string;
  /** The whole network over all sites: units reach each other within it. */
  readonly supernet: string;
  readonly mtu: number;
}

/** A network as its cloud calls it: what another site needs to put units there, too. */
export interface NetworkSegment {
  /** Ids of Neutron. */
  readonly network: string;
  readonly subnet: string;
}

export interface PortSpec extends PortQuality {
  /** Unique over all sites; from it the backend derives the names of interfaces. */
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly address?: string;
  /** Fixed Ethernet address; else the backend makes one. */
  readonly mac?: string;
  /** Further addresses that the unit answers to: the service addresses of chains that end here. */
  readonly serviceAddresses: readonly string[];
  readonly allow?: readonly TrafficRule[];
}

/** What became of a port. */
export interface PortStatus {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly host: string;
  readonly address: string;
  readonly mac: string;
  /** IPv6 address at which SRv6 packets for this port are decapsulated (End.DX4, RFC 8986 section 4.5). */
  readonly sid: string;
}

export interface SiteLinkSpec {
  readonly id: string;
  readonly a: string;
  readonly b: string;
  /** Lasting ids of the two sites: several control planes on one machine may have sites of these names. */
  readonly siteIds?: { readonly a: string; readonly b: string };
  /** One way. */
  readonly latencyMs: Milliseconds;
  readonly jitterMs: Milliseconds;
  readonly loss: Fraction;
  readonly bandwidthMbps: Mbps;
}

/**
 * One version of a service chain as one site has to realise it. A chain has a forward and a reverse direction. Functions
 * need not know SRv6: the host in front of each decapsulates towards it (End.DX4) and encapsulates what it sends on
 * (H.Encaps), which is the static proxy of draft-ietf-spring-sr-service-programming made of two routes.
 */
export interface SitePath {
  readonly chainId: string;
  /** Grows with every change of the path. Flows stay on the version on which they began. */
  readonly version: number;
  readonly site: string;
  readonly classifiers: readonly Classifier[];
  readonly steers: readonly Steer[];
  /** Ports of this site at which packets of the chain are decapsulated. */
  readonly endpoints: readonly Endpoint[];
  /** Functions of several instances, where the site spreads flows over them. */
  readonly spreads?: readonly Spread[];
}

/** Ports of further instances of the function whose first one has `portId`. */
export interface Spread {
  readonly portId: string;
  readonly others: readonly string[];
}

export interface Match {
  /** Where the packet comes from: the port of the hop before. */
  readonly fromPort: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'any';
  /** Destination ports of the forward direction; source ports of the reverse one. Empty: all. */
  readonly ports: readonly number[];
  readonly direction: 'forward' | 'reverse';
  /**
   * Reverse: the service address, from which replies come, so that a site with only a part of the chain tells the replies
   * of chains apart that share users and functions.
   */
  readonly source?: string;
}

/** First hop: new flows take the active version, flows that exist keep theirs. */
export interface Classifier {
  readonly id: string;
  readonly match: Match;
  readonly segments: readonly string[];
}

/** Later hops: what comes from the port for the destination goes on by these segments. */
export interface Steer {
  readonly id: string;
  readonly match: Match;
  readonly segments: readonly string[];
}

export interface Endpoint {
  readonly portId: string;
  readonly sid: string;
  readonly address: string;
  readonly network: string;
}

export interface BalancerSpec extends BalancerSettings {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly network: string;
  readonly address: string;
  readonly port: number;
  readonly layer: 'tcp' | 'udp' | 'http';
  readonly members: readonly BalancerMember[];
  /** Where routes lead. */
  readonly pools?: readonly { readonly name: string; readonly members: readonly BalancerMember[] }[];
  readonly health?: BalancerHealth;
}

export interface BalancerMember {
  readonly address: string;
  readonly port: number;
  /** Keeps its flows and gets no new ones; who has a cookie of it is served on. */
  readonly draining: boolean;
  /** 0 to 256, default 1. */
  readonly weight?: number;
  readonly backup?: boolean;
}
