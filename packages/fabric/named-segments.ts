import { sha256 } from '@superfluidity/core';

/**
 * Segment identifiers at sites that steer by other means than SRv6. They name sites and ports where chains are described; no
 * packet carries them. The same for the same site and port, on every server.
 */

/** Prefix of 48 bits (RFC 4193), without its length. */
export function locatorOf(siteId: string): string {
  const hex = sha256(`locator ${siteId}`);
  return `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}`;
}

export function routerSid(siteId: string): string {
  return `${locatorOf(siteId)}:0:0:0:0:1`;
}

export function portSid(siteId: string, portId: string): string {
  const hex = sha256(`sid ${portId}`);
  const groups = [0, 4, 8, 12].map((at) => Number.parseInt(hex.slice(at, at + 4), 16) | (at === 0 ? 0x8000 : 0));
  return `${locatorOf(siteId)}:1:${groups.map((group) => group.toString(16)).join(':')}`;
}
