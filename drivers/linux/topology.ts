import type { Logger } from '@superfluidity/core';
import {
  changeLink,
  createNamespace,
  createVeth,
  deleteLink,
  deleteNamespace,
  namespaceExists,
  replaceAddress,
  replaceNeighbour,
  replaceRoute,
  tolerating,
  transact,
  writeSysctls,
} from '@superfluidity/netlink';
import {
  applyRuleset,
  buildRouter,
  FORWARDING,
  hostAddress,
  hostNamespace,
  hostPrefix,
  INFRASTRUCTURE_MTU,
  LINK_IPV4,
  LINK_IPV6,
  Records,
  routerSid,
  type Scope,
  STEERED,
  UPLINK_INDEX,
} from '@superfluidity/router';
import type { HostConfig } from './config.ts';
import { firewallSkeleton } from './firewall.ts';

/**
 * The wires of a site: one namespace for its router and one for each host, joined by a veth. Everything is routed, by
 * a /32 for each port, and both ends of every wire know each other's MAC address from the start: no address resolution,
 * no duplicate address detection, hence no slow first packet. Units see an IPv4 link of their own to their host; IPv6,
 * which carries the segment routing headers, is between hosts and routers only, where no unit can reach it.
 */

/** Index of the first device of the router's side. */
const HOST_LINK_INDEX = 100;
/** What a network may ask for at most, so that headers fit on top. */
export const NETWORK_MTU_MAX = 9000;

export interface SiteHost {
  readonly name: string;
  /** From 0. Stays when other hosts come and go. */
  readonly index: number;
  readonly namespace: string;
  readonly config: HostConfig;
}

/** Index, in the router, of the device that leads to the host. */
export function hostLinkIndex(host: Pick<SiteHost, 'index'>): number {
  return HOST_LINK_INDEX + host.index;
}

/** Host side only, once the uplink has IPv6: units' wires carry none. */
const HOST_ONLY = {
  'net.ipv6.conf.default.disable_ipv6': 1,
  ...STEERED,
} as const;

function mac(side: 1 | 2, index: number): string {
  return `02:53:46:0${side}:00:${index.toString(16).padStart(2, '0')}`;
}

function joinHost(scope: Scope, host: SiteHost): void {
  const number = hostLinkIndex(host);
  const { namespace, index } = host;
  transact(scope.router, [
    createVeth(
      { name: `h${index}`, index: number, mac: mac(2, index), mtu: INFRASTRUCTURE_MTU, up: true },
      { name: 'up', index: UPLINK_INDEX, mac: mac(1, index), mtu: INFRASTRUCTURE_MTU, namespace },
    ),
    replaceNeighbour(number, { address: LINK_IPV4, mac: mac(1, index) }),
    replaceNeighbour(number, { address: LINK_IPV6, mac: mac(1, index) }),
    replaceRoute({ destination: hostPrefix(scope, index), via: LINK_IPV6, device: number, onlink: true }),
    replaceRoute({ destination: routerSid(scope), device: number, encap: { kind: 'seg6local', action: 'End' } }),
  ]);
  transact(namespace, [
    changeLink(UPLINK_INDEX, { up: true }),
    replaceAddress(UPLINK_INDEX, { address: `${hostAddress(scope, index)}/128` }),
    replaceNeighbour(UPLINK_INDEX, { address: LINK_IPV4, mac: mac(2, index) }),
    replaceNeighbour(UPLINK_INDEX, { address: LINK_IPV6, mac: mac(2, index) }),
    replaceRoute({ destination: 'default', family: 4, via: LINK_IPV4, device: UPLINK_INDEX, onlink: true }),
    replaceRoute({ destination: 'default', family: 6, via: LINK_IPV6, device: UPLINK_INDEX, onlink: true }),
    replaceRoute({ destination: hostPrefix(scope, index), type: 'unreachable', device: 1, metric: 4096 }),
  ]);
}

async function buildHost(scope: Scope, host: SiteHost): Promise<void> {
  createNamespace(host.namespace);
  writeSysctls(host.namespace, FORWARDING);
  transact(host.namespace, [changeLink(1, { up: true })]);
  joinHost(scope, host);
  writeSysctls(host.namespace, HOST_ONLY);
  await applyRuleset(host.namespace, firewallSkeleton());
}

interface HostRecord {
  readonly index: number;
}

function siteHosts(
  scope: Scope,
  configs: readonly HostConfig[],
  records: Records<HostRecord>,
): ReadonlyMap<string, SiteHost> {
  const used = new Set(records.values().map(({ index }) => index));
  const hosts = new Map<string, SiteHost>();
  for (const config of configs) {
    let index = records.get(config.name)?.index;
    if (index === undefined) {
      index = 0;
      while (used.has(index)) index += 1;
      used.add(index);
    }
    hosts.set(config.name, { name: config.name, index, namespace: hostNamespace(scope, config.name), config });
  }
  return hosts;
}

/** The hosts as they are, or would be: nothing is made. */
export function describeHosts(
  scope: Scope,
  configs: readonly HostConfig[],
  log: Logger,
): ReadonlyMap<string, SiteHost> {
  return siteHosts(scope, configs, new Records<HostRecord>(`${scope.folder}/hosts`, log));
}

/** Finds or makes the wires. What a crash left half made has no record and is made anew. */
export async function openTopology(
  scope: Scope,
  configs: readonly HostConfig[],
  log: Logger,
): Promise<ReadonlyMap<string, SiteHost>> {
  const records = new Records<HostRecord>(`${scope.folder}/hosts`, log);
  if (!namespaceExists(scope.router) || records.size === 0) {
    for (const [name] of records.entries()) records.delete(name);
    deleteNamespace(scope.router);
    buildRouter(scope);
  }
  const hosts = siteHosts(scope, configs, records);
  for (const host of hosts.values()) {
    const { name, index, namespace } = host;
    if (records.get(name) !== undefined && namespaceExists(namespace)) continue;
    deleteNamespace(namespace);
    // The kernel takes a namespace apart in the background: the router's end of the wire may still be there.
    tolerating(['ENODEV'], () => transact(scope.router, [deleteLink(`h${index}`)]));
    await buildHost(scope, host);
    records.put(name, { index });
  }
  return hosts;
}
