import { type Ipv4Prefix, subPrefix } from '@superfluidity/model';

/** The part of a network's prefix that a site has, by the site's place in the list of those that have one. */
export function sitePrefix(supernet: Ipv4Prefix, place: number): Ipv4Prefix {
  return subPrefix(supernet, supernet.length + siteBits(supernet.length), place);
}

/** How many bits of the prefix number the sites: 16 sites, or fewer where the prefix is small. */
function siteBits(prefixLength: number): number {
  return prefixLength <= 20 ? 4 : prefixLength <= 26 ? 2 : 0;
}
