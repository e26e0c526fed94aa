import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { parseIpv4 } from '@superfluidity/model';
import { deviceOf } from '../api/device.ts';
import type { Skeleton, TableContent } from './table.ts';

/**
 * What pods on bridges of the node may send as: their own addresses, of Ethernet and of IP, and nothing else. Whoever sends with the
 * address of another would pass by that one's policies, and by ARP get what is for it. As Neutron does it for ports (port security).
 * Of IPv6 all or nothing: policies do not know it, and pods without an address of it are not to speak it.
 */
export const SOURCES: Skeleton = {
  family: 'bridge',
  table: 'superfluidity_sources',
  text: `table bridge superfluidity_sources {
  set pods { type ifname; }
  set own { type ifname . ether_addr . ipv4_addr; }
  set own6 { type ifname . ether_addr; }
  chain from {
    type filter hook prerouting priority -300; policy accept;
    iifname != @pods accept
    iifname . ether saddr . ip saddr @own accept
    iifname . ether saddr . arp saddr ip @own iifname . arp saddr ether . arp saddr ip @own accept
    meta protocol ip6 iifname . ether saddr @own6 accept
    drop
  }
}
`,
};

/** Of the ports of the pods of this node. A port whose addresses cannot be read may send nothing. */
export function planSources(ports: Iterable<readonly [key: string, port: KuryrPort]>): TableContent {
  const [pods, own, own6] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  for (const [, { status }] of ports)
    for (const { id, mac, addresses, plugging } of Object.values(status?.interfaces ?? {})) {
      if (plugging.kind !== 'bridge') continue;
      const device = `"${deviceOf(id)}"`;
      pods.set(device, '');
      if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) continue;
      const sender = `${device} . ${mac.toLowerCase()}`;
      for (const address of addresses.map((one) => one.split('/')[0]!))
        if (parseIpv4(address) !== undefined) own.set(`${sender} . ${address}`, '');
        else own6.set(sender, '');
    }
  const sets = { pods, own, own6 };
  return { chains: new Map(), sets: new Map(Object.entries(sets).map(([name, elements]) => [name, { elements }])) };
}
