import { SuperfluidityError } from '@superfluidity/core';
import { formatIpv4, type Ipv4, type Ipv4Prefix, parseIpv4, parseIpv4Prefix, prefixSize } from '@superfluidity/model';

/** The address that a specification names, or `SF-FABRIC-ADDRESS`. */
export function addressOf(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address !== undefined) return address;
  throw new SuperfluidityError('SF-FABRIC-ADDRESS', { reason: `'${text}' is not an IPv4 address`, data: { text } });
}

/** The prefix that a specification names, or `SF-FABRIC-PREFIX`. */
export function prefixOf(text: string): Ipv4Prefix {
  const prefix = parseIpv4Prefix(text);
  if (prefix !== undefined) return prefix;
  throw new SuperfluidityError('SF-FABRIC-PREFIX', { reason: `'${text}' ${whyNoPrefix(text)}`, data: { text } });
}

function whyNoPrefix(text: string): string {
  const [base = '', lengthText = ''] = text.split('/');
  const address = parseIpv4(base);
  const length = /^(3[0-2]|[12]?[0-9])$/.test(lengthText) ? Number(lengthText) : undefined;
  if (address === undefined || length === undefined) return 'is not an IPv4 prefix';
  const masked = formatIpv4(address - (address % prefixSize(length)));
  return `has bits set after its prefix: ${masked}/${length} is meant?`;
}
