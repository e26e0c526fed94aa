import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { shortName } from '@superfluidity/core';

/**
 * What a site is called on the machine. Everything derives from a hash of the site's lasting id, so that two control
 * planes with sites of one name do not meet, and so that all of a site can be found again without any record of it.
 */
export interface Scope {
  readonly siteId: string;
  readonly key: string;
  /** Facts that outlive the control plane, and files of units: gone with a reboot, as namespaces and processes are. */
  readonly folder: string;
  /** Every namespace of the site begins with this. */
  readonly prefix: string;
  readonly router: string;
  /** Below each cgroup hierarchy. */
  readonly cgroup: string;
  /** IPv6 unique local prefix (RFC 4193) of the site's segment identifiers, without its length: `fdxx:xxxx:xxxx`. */
  readonly locator: string;
}

export const RUN_FOLDER = '/run/superfluidity';
/** Namespaces in which it is tried what the kernel can do; the id of the process follows. */
export const PROBE_PREFIX = 'sf-probe-';

export function scopeOf(siteId: string): Scope {
  return scopeOfKey(shortName('', siteId), siteId);
}

/** For what is found on the machine. Without the id nothing can be made in it, only found and removed. */
export function scopeOfKey(key: string, siteId = ''): Scope {
  const hex = createHash('sha256').update(`locator ${siteId}`).digest('hex');
  return {
    siteId,
    key,
    folder: join(RUN_FOLDER, key),
    prefix: `sf-${key}-`,
    router: `sf-${key}-r`,
    cgroup: `superfluidity/${key}`,
    locator: `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}`,
  };
}

export function hostNamespace(scope: Scope, host: string): string {
  return `${scope.prefix}h-${host}`;
}

/** Where control planes run, of a site whose units the machine itself reaches: its end of the wire. */
export function machineDevice(scope: Scope): string {
  return `sf-${scope.key}`;
}

export function slotNamespace(scope: Scope, slot: string): string {
  return `${scope.prefix}u-${slot}`;
}

export function locatorPrefix(scope: Scope): string {
  return `${scope.locator}::/48`;
}

/** Subnet 0 is the router's, 1 and on those of the hosts in their order. */
export function routerSid(scope: Scope): string {
  return `${scope.locator}:0:0:0:0:1`;
}

export function hostAddress(scope: Scope, index: number): string {
  return `${scope.locator}:${(index + 1).toString(16)}::1`;
}

export function hostPrefix(scope: Scope, index: number): string {
  return `${scope.locator}:${(index + 1).toString(16)}::/64`;
}

/** 64 bits out of the slot's name, which is never used twice: a packet that is late does not reach a successor. */
export function portSid(scope: Scope, hostIndex: number, slot: string, port: number): string {
  const hex = createHash('sha256').update(`sid ${slot} ${port}`).digest('hex');
  const groups = [0, 4, 8, 12].map((at) => Number.parseInt(hex.slice(at, at + 4), 16) | (at === 0 ? 0x8000 : 0));
  return `${scope.locator}:${(hostIndex + 1).toString(16)}:${groups.map((group) => group.toString(16)).join(':')}`;
}

/** Locally administered, unicast. */
export function portMac(slot: string, port: number): string {
  const hex = createHash('sha256').update(`mac ${slot} ${port}`).digest('hex');
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`;
}
