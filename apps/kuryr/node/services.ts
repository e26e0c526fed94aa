import { sha256 } from '@superfluidity/core';
import { parseIpv4 } from '@superfluidity/model';
import type { KuryrLoadBalancer } from '../api/load-balancer.ts';
import { LIMITS } from './limits.ts';
import type { Skeleton, TableContent } from './table.ts';

/**
 * Services as a table of the node, for nft(8). Each new flow is looked up once (`ports`), however many Services there are, and sent to
 * a member that is chosen at random:
 *
 * - balance: for a Service with members, its destination becomes one of them. Replies find their way back by the connection, since they
 *   pass this node: it is the node of the client. So members see who asked, and so do policies.
 * - unmark: the mark by which a member was chosen for a client that is remembered, is taken back before anybody routes by it.
 * - answer: a pod that reaches itself has to hear from somebody else than itself. So has a member that was reached by an external
 *   address, through a node that need not be on the way back.
 * - refuse: what is still for a Service here has no member, or is for a port that the Service does not have. TCP by a reset, since the
 *   kernel limits how often it tells a client by ICMP.
 */
export const SERVICES: Skeleton = {
  family: 'ip',
  table: 'superfluidity_services',
  text: `table ip superfluidity_services {
  map ports { type ipv4_addr . inet_proto . inet_service : verdict; }
  set addresses { type ipv4_addr; }
  set externals { type ipv4_addr; }
  set unserved { type ipv4_addr . inet_proto . inet_service; }
  set sticky { type ipv4_addr; }
  set themselves { type ipv4_addr . ipv4_addr; }
  map affinity { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; size ${LIMITS.affinities}; }
  chain balance {
    type nat hook prerouting priority -100; policy accept;
    ip daddr . meta l4proto . th dport vmap @ports
  }
  chain balance_own {
    type nat hook output priority -100; policy accept;
    ip daddr . meta l4proto . th dport vmap @ports
  }
  chain unmark {
    type filter hook prerouting priority -99; policy accept;
    ct state new ct status dnat ct original ip daddr @sticky meta mark set 0
  }
  chain unmark_own {
    type filter hook output priority -99; policy accept;
    ct state new ct status dnat ct original ip daddr @sticky meta mark set 0
  }
  chain answer {
    type nat hook postrouting priority 100; policy accept;
    ct status dnat ip saddr . ip daddr @themselves masquerade
    ct status dnat ct original ip daddr @externals masquerade
  }
  chain refusal {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain refuse {
    ip daddr @addresses jump refusal
    ip daddr . meta l4proto . th dport @unserved jump refusal
  }
  chain refuse_passing {
    type filter hook forward priority -10; policy accept;
    jump refuse
  }
  chain refuse_own {
    type filter hook output priority -10; policy accept;
    jump refuse
  }
  chain refuse_arriving {
    type filter hook input priority -10; policy accept;
    jump refuse
  }
}
`,
};
/** What the kernel writes into by itself. */
export const KEPT = ['affinity'] as const;

type Port = KuryrLoadBalancer['spec']['ports'][number];
type Member = Port['members'][number];

export interface Trouble {
  /** Namespace and name of the object. */
  readonly key: string;
  readonly reason: string;
}

export interface ServicesPlan {
  readonly content: TableContent;
  readonly troubles: readonly Trouble[];
  readonly services: number;
  readonly endpoints: number;
  /** Members of ports of UDP, `address:port`, by the address and port of the Service. */
  readonly datagrams: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Of the balancers that nodes carry out. Two that want the same address and port: the first by name has it. */
export function planServices(balancers: ReadonlyMap<string, KuryrLoadBalancer>): ServicesPlan {
  const chains = new Map<string, readonly string[]>();
  const [ports, addresses, externals, unserved, sticky, themselves] = Array.from(
    { length: 6 },
    () => new Map<string, string>(),
  ) as [Elements, Elements, Elements, Elements, Elements, Elements];
  const datagrams = new Map<string, ReadonlySet<string>>();
  const troubles: Trouble[] = [];
  const owners = new Map<string, string>();
  let services = 0;
  let endpoints = 0;
  for (const [key, { spec, status }] of [...balancers].toSorted(byKey)) {
    const external = status?.external?.address;
    const wanted = external === undefined ? [spec.address] : [spec.address, external];
    if (wanted.some((address) => parseIpv4(address) === undefined)) {
      troubles.push({ key, reason: `${wanted.join(' and ')} are not addresses of IPv4` });
      continue;
    }
    services += 1;
    addresses.set(spec.address, '');
    if (external !== undefined) externals.set(external, '');
    for (const port of spec.ports) {
      const { chain, rules, members } = rulesOf(key, port, spec.affinitySeconds);
      endpoints += members.length;
      for (const { address } of members) themselves.set(`${address} . ${address}`, '');
      if (members.length < port.members.length)
        troubles.push({ key, reason: `port ${port.port} has endpoints that are no addresses of IPv4` });
      const protocol = port.protocol.toLowerCase();
      for (const address of wanted) {
        const triple = `${address} . ${protocol} . ${port.port}`;
        const owner = owners.get(triple);
        if (owner !== undefined) {
          troubles.push({ key, reason: `${address} has port ${port.port} of ${port.protocol} for ${owner} already` });
          continue;
        }
        owners.set(triple, key);
        if (protocol === 'udp')
          datagrams.set(`${address}:${port.port}`, new Set(members.map((one) => `${one.address}:${one.port}`)));
        if (members.length === 0) {
          if (address !== spec.address) unserved.set(triple, '');
          continue;
        }
        chains.set(chain, rules);
        ports.set(triple, `goto ${chain}`);
        if (spec.affinitySeconds !== undefined) sticky.set(address, '');
      }
    }
  }
  const named = { ports, addresses, externals, unserved, sticky, themselves };
  const sets = new Map(Object.entries(named).map(([name, elements]) => [name, { elements }]));
  return { content: { chains, sets }, troubles, services, endpoints, datagrams };
}

type Elements = Map<string, string>;
const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) => (one < other ? -1 : 1);

interface PortRules {
  readonly chain: string;
  readonly rules: readonly string[];
  readonly members: readonly Member[];
}

const known = new WeakMap<
  Port,
  { readonly key: string; readonly seconds: number | undefined; readonly is: PortRules }
>();

/** Once for each version of a Service: the next look has the same objects of those that have not changed. */
function rulesOf(key: string, port: Port, affinitySeconds: number | undefined): PortRules {
  const before = known.get(port);
  if (before !== undefined && before.key === key && before.seconds === affinitySeconds) return before.is;
  const members = port.members.filter(({ address }) => parseIpv4(address) !== undefined);
  const is = {
    chain: `port_${sha256(`${key} ${port.protocol} ${port.port}`).slice(0, 16)}`,
    rules: members.length === 0 ? [] : balanceRules(port.protocol.toLowerCase(), members, affinitySeconds),
    members,
  };
  known.set(port, { key, seconds: affinitySeconds, is });
  return is;
}

const CLIENT = 'ip saddr . ip daddr . meta l4proto . th dport';

function balanceRules(protocol: string, members: readonly Member[], affinitySeconds: number | undefined) {
  const target = ({ address, port }: Member) => `${address} . ${port}`;
  const mapOf = (lines: readonly string[]) => `{ ${lines.join(', ')} }`;
  if (affinitySeconds === undefined) {
    const map = mapOf(members.map((member, at) => `${at} : ${target(member)}`));
    return [`meta l4proto ${protocol} dnat ip to numgen random mod ${members.length} map ${map}`];
  }
  const marks = marksOf(members);
  const chosen = mapOf(marks.map((mark, at) => `${at} : ${mark}`));
  return [
    'meta mark set 0',
    `meta mark set ${CLIENT} map @affinity`,
    // New, or remembered with one that has gone.
    // The kernel changes the time of what it remembers, but not whom: forgotten first.
    `meta mark != ${mapOf(marks)} delete @affinity { ${CLIENT} : meta mark }`,
    `meta mark != ${mapOf(marks)} meta mark set numgen random mod ${members.length} map ${chosen}`,
    `update @affinity { ${CLIENT} timeout ${affinitySeconds}s : meta mark }`,
    `meta l4proto ${protocol} dnat ip to meta mark map ${mapOf(members.map((one, at) => `${marks[at]} : ${target(one)}`))}`,
  ];
}

/** A number for each member that does not depend on which others there are, nor on who counts. */
function marksOf(members: readonly Member[]): readonly string[] {
  const taken = new Set<number>();
  return members.map(({ address, port }) => {
    let mark = Number.parseInt(sha256(`${address}:${port}`).slice(0, 8), 16) || 1;
    while (taken.has(mark)) mark = mark === 0xffff_ffff ? 1 : mark + 1;
    taken.add(mark);
    return `0x${mark.toString(16).padStart(8, '0')}`;
  });
}
