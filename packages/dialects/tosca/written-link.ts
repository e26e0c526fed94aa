import type { Network } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import { carriedOf, groupAt, over, type Group } from './groups.ts';
import { protocolsOf, saidBy, usualLink } from './usual.ts';

/** A virtual link of a service, or inside of a function. What was assumed of a descriptor is not written into it. */
export function link(network: Network, type: string): Group {
  const left = groupAt(carriedOf(network), 'node');
  const prefix = isAssumed('tosca', network) ? undefined : network.prefix;
  const carried = groupAt(left, 'properties', 'vl_profile')['virtual_link_protocol_data'];
  const said = saidBy(carried);
  const keeps = carried !== undefined && said.prefix === prefix && said.mtu === network.mtu;
  const protocols = protocolsOf(prefix, network.mtu);
  const derived =
    keeps || (protocols.length === 0 && carried === undefined)
      ? {}
      : { properties: { vl_profile: { virtual_link_protocol_data: protocols } } };
  const { type: ownType } = left;
  return over(over({ type, ...usualLink }, left), { ...derived, type: typeof ownType === 'string' ? ownType : type });
}
