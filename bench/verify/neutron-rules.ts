import { macText, type Server } from './neutron.ts';

/** The table filter of a compute node, in the chains of the driver iptables_hybrid. */
export function iptables(servers: readonly Server[]): readonly string[] {
  const agent = 'neutron-openvswi';
  const chain = (direction: string, { tap }: Server) => `${agent}-${direction}${tap.slice(3)}`;
  const physical = (side: 'in' | 'out', tap: string) => `-m physdev --physdev-${side} ${tap} --physdev-is-bridged`;
  const names = servers.flatMap((server) => ['i', 'o', 's'].map((direction) => chain(direction, server)));
  return [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...['FORWARD', 'sg-chain', 'sg-fallback'].map((name) => `:${agent}-${name} - [0:0]`),
    ...names.map((name) => `:${name} - [0:0]`),
    `-A FORWARD -j ${agent}-FORWARD`,
    ...servers.flatMap((server) =>
      (['out', 'in'] as const).flatMap((side) => [
        `-A ${agent}-FORWARD ${physical(side, server.tap)} -j ${agent}-sg-chain`,
        `-A ${agent}-sg-chain ${physical(side, server.tap)} -j ${chain(side === 'out' ? 'i' : 'o', server)}`,
      ]),
    ),
    `-A ${agent}-sg-chain -j ACCEPT`,
    ...servers.flatMap((server) => [...ingress(chain('i', server), server), ...egress(chain('o', server), server)]),
    ...servers.flatMap((server) => [
      `-A ${chain('s', server)} -s ${server.address}/32 -m mac --mac-source ${macText(server.mac)} -j RETURN`,
      `-A ${chain('s', server)} -j DROP`,
    ]),
    `-A ${agent}-sg-fallback -j DROP`,
    'COMMIT',
  ];
}

function ingress(chain: string, server: Server): readonly string[] {
  return [
    `-A ${chain} -m state --state RELATED,ESTABLISHED -j RETURN`,
    `-A ${chain} -d ${server.address}/32 -p udp -m udp --sport 67 --dport 68 -j RETURN`,
    ...groupRules(chain, server, 'ingress'),
  ];
}

function egress(chain: string, server: Server): readonly string[] {
  return [
    `-A ${chain} -s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN`,
    `-A ${chain} -j neutron-openvswi-s${server.tap.slice(3)}`,
    `-A ${chain} -p udp -m udp --sport 68 --dport 67 -j RETURN`,
    `-A ${chain} -p udp -m udp --sport 67 --dport 68 -j DROP`,
    `-A ${chain} -m state --state RELATED,ESTABLISHED -j RETURN`,
    ...groupRules(chain, server, 'egress'),
  ];
}

function groupRules(chain: string, { rules }: Server, direction: 'ingress' | 'egress'): readonly string[] {
  const side = direction === 'ingress' ? '-s' : '-d';
  return [
    ...rules
      .filter((rule) => rule.direction === direction)
      .flatMap(({ protocol, ports, remotes }) =>
        (remotes ?? [undefined]).map((remote) =>
          [
            `-A ${chain}`,
            ...(remote === undefined ? [] : [`${side} ${remote}`]),
            ...(protocol === null ? [] : [`-p ${protocol}`]),
            ...(ports === null ? [] : [`-m ${protocol} --dport ${ports[0]}:${ports[1]}`]),
            '-j RETURN',
          ].join(' '),
        ),
      ),
    `-A ${chain} -m state --state INVALID -j DROP`,
    `-A ${chain} -j neutron-openvswi-sg-fallback`,
  ];
}
