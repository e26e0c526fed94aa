import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { parseIpv4 } from '@superfluidity/model';
import { deviceOf } from '../api/device.ts';
import type { Skeleton, TableContent } from './table.ts';

/**
 * What pods on bridges of the node may send as: with their own addresses of IP, and not with the address of Ethernet of another pod; one
 * that nobody has is theirs to take, as plugins behind ours may give it to them. Whoever sends as another would pass by that one's
 * policies, and get what is for it. As Neutron does it for ports (port security). Of IPv6 all or nothing: policies do not know it, and
 * pods without an address of it are not to speak it.
 */
export const SOURCES: Skeleton = {
  family: 'bridge',
  table: 'superfluidity_sources',
  text: `table bridge superfluidity_sources {
  set pods { type ifname; }
  set taken { type ether_addr; }
  set cards { type ifname . ether_addr; }
  set own { type ifname . ipv4_addr; }
  set own6 { type ifname; }
  chain from {
    type filter hook prerouting priority -300; policy accept;
    iifname != @pods accept
    ether saddr @taken iifname . ether saddr != @cards drop
    iifname . ip saddr @own accept
    iifname . arp saddr ip @own accept
    meta protocol ip6 iifname @own6 accept
    drop
  }
}
`,
};

/** Of the ports of the pods of this node. A port whose addresses cannot be read may send nothing. */
export function planSources(ports: Iterable<readonly [key: string, port: KuryrPort]>): TableContent {
  const names = ['pods', 'taken', 'cards', 'own', 'own6'] as const;
  const sets = Object.fromEntries(names.map((name) => [name, new Map<string, string>()])) as Record<
    (typeof names)[number],
    Map<string, string>
  >;
  for (const [, { status }] of ports)
    for (const { id, mac, addresses, plugging } of Object.values(status?.interfaces ?? {})) {
      if (plugging.kind !== 'bridge') continue;
      const device = `"${deviceOf(id)}"`;
      sets.pods.set(device, '');
      if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) continue;
      sets.taken.set(mac.toLowerCase(), '');
      sets.cards.set(`${device} . ${mac.toLowerCase()}`, '');
      for (const address of addresses.map((one) => one.split('/')[0]!))
        if (parseIpv4(address) !== undefined) sets.own.set(`${device} . ${address}`, '');
        else sets.own6.set(device, '');
    }
  return { chains: new Map(), sets: new Map(names.map((name) => [name, { elements: sets[name] }])) };
}
