import { SuperfluidityError } from '@superfluidity/core';
import { prefixOf } from '@superfluidity/fabric';
import type { TrafficRule } from '@superfluidity/model';
import { STEERING, TABLE } from '@superfluidity/router';

/**
 * The packet filter of a host as text for nft(8). Three questions about each packet, answered by look-ups in maps, so
 * that their cost does not grow with the number of units:
 *
 * - prerouting: which version of which chain has this flow (connection mark), and which segments come next (packet mark)?
 *   What is left of a version that was removed is new again, and takes the one that is active now.
 * - mark: does the port that it comes from say how it is to be treated (DSCP)?
 * - dnat: is it for a virtual address, and which member takes it?
 * - forward: may it go where it goes? Ports with rules of their own ask those; else both ends lie in one network, or
 *   the destination is the service address of a chain through this host. Everything else is dropped.
 */
export function firewallSkeleton(): string {
  return `table ip ${TABLE} {
${STEERING}
  map networks { type ipv4_addr . ipv4_addr : verdict; flags interval; }
  map guarded { type ifname : verdict; }
  map marked { type ifname : verdict; }
  chain marking {
    type filter hook prerouting priority -148; policy accept;
    iifname vmap @marked
  }
  chain balance {
    type nat hook prerouting priority -100; policy accept;
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    oifname vmap @guarded
    ip daddr @chained accept
    ip saddr . ip daddr vmap @networks
  }
}
`;
}

/** One chain of rules for a port that says what may come in. */
export function guardText(device: string, rules: readonly TrafficRule[], transit: boolean, address: string): string {
  const lines = rules.map((rule) => `add rule ip ${TABLE} ${guardChain(device)} ${ruleText(rule)} accept`);
  // What passes through a function is judged where it ends; what is for the function itself is judged here.
  const own = transit ? `ip daddr ${address} drop` : 'drop';
  return [
    `add chain ip ${TABLE} ${guardChain(device)}`,
    ...lines,
    `add rule ip ${TABLE} ${guardChain(device)} ${own}`,
    `add element ip ${TABLE} guarded { "${device}" : jump ${guardChain(device)} }`,
    '',
  ].join('\n');
}

export function unguardText(device: string): string {
  return [
    `delete element ip ${TABLE} guarded { "${device}" }`,
    `flush chain ip ${TABLE} ${guardChain(device)}`,
    `delete chain ip ${TABLE} ${guardChain(device)}`,
    '',
  ].join('\n');
}

/** What comes in by the port gets this code point, whatever its sender wrote there. */
export function markText(device: string, dscp: number): string {
  return [
    `add chain ip ${TABLE} ${markChain(dscp)}`,
    `flush chain ip ${TABLE} ${markChain(dscp)}`,
    `add rule ip ${TABLE} ${markChain(dscp)} ip dscp set ${dscp}`,
    `add element ip ${TABLE} marked { "${device}" : jump ${markChain(dscp)} }`,
    '',
  ].join('\n');
}

/** The chain stays: there are 64 of them at most, and other ports may use it. */
export function unmarkText(device: string): string {
  return `delete element ip ${TABLE} marked { "${device}" }\n`;
}

function markChain(dscp: number): string {
  return `mark_${dscp}`;
}

function guardChain(device: string): string {
  return `to_${device}`;
}

const PORT_MAX = 65_535;

function ruleText(rule: TrafficRule): string {
  const parts: string[] = [];
  if (rule.from !== undefined) {
    const from = rule.from.includes('/') ? rule.from : `${rule.from}/32`;
    prefixOf(from);
    parts.push(`ip saddr ${from}`);
  }
  const wrong = rule.ports?.find((port) => !Number.isInteger(port) || port < 1 || port > PORT_MAX);
  if (wrong !== undefined) {
    throw new SuperfluidityError('SF-SITE-CONFLICT', { reason: `${wrong} is not a port number`, data: { rule } });
  }
  const ports = rule.ports === undefined || rule.ports.length === 0 ? undefined : `{ ${rule.ports.join(', ')} }`;
  if (ports !== undefined && rule.protocol !== 'icmp') {
    parts.push(
      rule.protocol === undefined ? `meta l4proto { tcp, udp } th dport ${ports}` : `${rule.protocol} dport ${ports}`,
    );
  } else if (rule.protocol !== undefined) {
    parts.push(`meta l4proto ${rule.protocol}`);
  }
  return parts.join(' ');
}

export function networkText(supernet: string, verb: 'add' | 'delete'): string {
  const value = verb === 'add' ? ' : accept' : '';
  return `${verb} element ip ${TABLE} networks { ${supernet} . ${supernet}${value} }\n`;
}
