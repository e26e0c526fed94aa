import { isIPv6 } from 'node:net';
import { append } from '@superfluidity/core';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import type { CniResult, Configuration, InterfaceResult, IpResult } from './specification.ts';
import { type CniError, isAtLeast } from './specification.ts';

/** An interface as it was plugged. */
export interface Plugged {
  /** In the pod. */
  readonly name: string;
  readonly netns: string;
  readonly wish: PodInterface;
  /** The other end, where there is one on the node. */
  readonly host?: { readonly name: string; readonly mac: string };
}

/** The result of ADD: what was there from plugins before, and what was plugged. */
export function resultOf(plugged: readonly Plugged[], { prevResult, dns }: Configuration): CniResult {
  const interfaces: InterfaceResult[] = [...(prevResult?.interfaces ?? [])];
  const ips: IpResult[] = [...(prevResult?.ips ?? [])];
  const routes = [...(prevResult?.routes ?? [])];
  // The one that Kubernetes knows comes first: it takes the first address for that of the pod.
  for (const { name, netns, wish, host } of plugged.toSorted(
    (a, b) => Number(b.wish.isDefault) - Number(a.wish.isDefault),
  )) {
    if (host !== undefined) interfaces.push({ name: host.name, mac: host.mac, mtu: wish.mtu });
    const index = interfaces.push({ name, mac: wish.mac, mtu: wish.mtu, sandbox: netns }) - 1;
    for (const address of wish.addresses) {
      const gateway =
        wish.gateway !== undefined && isIPv6(wish.gateway) === address.includes(':') ? wish.gateway : undefined;
      ips.push({ address, interface: index, ...(gateway === undefined ? {} : { gateway }) });
    }
    append(
      routes,
      routesOf(wish).map(({ destination, nextHop }) => ({ dst: destination, gw: nextHop })),
    );
  }
  return { ...prevResult, interfaces, ips, routes, dns: dns ?? prevResult?.dns ?? {} };
}

/** Those that it was given, and the default route where it has it. */
export function routesOf({ routes, gateway, isDefault }: PodInterface): PodInterface['routes'] {
  if (!isDefault || gateway === undefined) return routes;
  const everywhere = isIPv6(gateway) ? '::/0' : '0.0.0.0/0';
  if (routes.some(({ destination }) => destination === everywhere)) return routes;
  return [...routes, { destination: everywhere, nextHop: gateway }];
}

/** As this version has it: before 1.0 an address says its family, and what 1.1 knows of interfaces is not known before. */
export function inVersion(result: CniResult, { cniVersion }: Pick<Configuration, 'cniVersion'>): CniResult {
  const ips = result.ips ?? [];
  const interfaces = result.interfaces ?? [];
  const isOld = !isAtLeast(cniVersion, '1.0.0');
  return {
    ...result,
    cniVersion,
    interfaces: isAtLeast(cniVersion, '1.1.0')
      ? interfaces
      : interfaces.map(({ name, mac, sandbox }) => ({
          name,
          ...(mac === undefined ? {} : { mac }),
          ...(sandbox === undefined ? {} : { sandbox }),
        })),
    ips: ips.map(({ version: _, ...ip }) => (isOld ? { version: ip.address.includes(':') ? '6' : '4', ...ip } : ip)),
  };
}

export function errorResult(error: CniError, cniVersion: string): object {
  const { code, message, details } = error;
  return { cniVersion, code, msg: message, ...(details === undefined ? {} : { details }) };
}
