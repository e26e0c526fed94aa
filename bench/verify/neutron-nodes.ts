import {
  all,
  any,
  assign,
  type Assembled,
  assemble,
  block,
  branch,
  compare,
  constant,
  constrain,
  drop,
  equivalence,
  type EquivalenceVerdict,
  field,
  fieldIs,
  forward,
  type InputFile,
  type Layout,
  type Network,
  type Instruction,
  negation,
  nothing,
  type PortId,
  read,
  type Start,
  within,
} from '@superfluidity/verify';
import {
  type Deployment,
  EXTERNAL,
  EXTERNAL_GATEWAY,
  macText,
  type Nic,
  type Router,
  type Server,
  tenantOf,
} from './neutron.ts';
import { iptables } from './neutron-rules.ts';
import { type Plug, qr, switches } from './neutron-switches.ts';

const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

const NETWORK_NODE = 'network1';
const EXTERNAL_GATEWAY_MAC = 0x00_00_5e_00_01_0b;

/** Changes of a realised deployment: what agents may get wrong. */
export interface Faults {
  /** Of the lines of iptables of a compute node. */
  readonly rules?: (lines: readonly string[], node: string) => readonly string[];
  /** The VLAN that a port gets. */
  readonly tag?: (tag: number, nic: Nic, vlans: ReadonlyMap<number, number>) => number;
  /** Of the lines of `ip route` in the namespace of a router. */
  readonly routes?: (lines: readonly string[], router: string) => readonly string[];
  /** Of the lines of its iptables. */
  readonly nat?: (lines: readonly string[], router: string) => readonly string[];
  /** Of the flows of a bridge. */
  readonly flows?: (lines: readonly string[], bridge: string) => readonly string[];
}

/**
 * What the agents of Neutron make of a deployment, as the tools of the nodes list it: Open vSwitch with its flows, ports, VLANs
 * and MAC tables, iptables of the hybrid firewall driver at the bridge of each server, and namespaces of routers.
 */
export function filesOfNodes({ servers, routers, nodes }: Deployment, faults: Faults = {}): readonly InputFile[] {
  const plugs: readonly Plug[] = [
    ...servers.map((nic) => ({ nic, node: nic.node, device: qvo(nic), guarded: true })),
    ...routers.flatMap(({ ports, gateway }) =>
      [...ports, gateway].map((nic) => ({ nic, node: NETWORK_NODE, device: qr(nic), guarded: false })),
    ),
  ];
  const text = (path: string, lines: readonly string[]) => ({ path, text: `${lines.join('\n')}\n` });
  return [
    ...switches(plugs, [...nodes, NETWORK_NODE], {
      gateway: EXTERNAL_GATEWAY_MAC,
      tag: faults.tag ?? ((tag) => tag),
      flows: faults.flows ?? ((lines) => lines),
    }),
    ...nodes.flatMap((node) => {
      const own = servers.filter((server) => server.node === node);
      const bridges = own.flatMap((server) => [
        `${server.tap.replace('tap', 'qbr')}\t\t8000.${server.mac.toString(16).padStart(12, '0')}\tno\t\t${qvb(server)}`,
        `\t\t\t\t\t\t\t${server.tap}`,
      ]);
      return [
        text(`${node}.rules`, faults.rules?.(iptables(own), node) ?? iptables(own)),
        text(`${node}.bridges`, ['bridge name\tbridge id\t\tSTP enabled\tinterfaces', ...bridges]),
      ];
    }),
    ...routers.flatMap((router) => namespaceOf(router, neighboursOf(servers, routers), faults)),
    text('wires', [
      ...servers.map((server) => `${server.node}:${qvb(server)} <-> br-int-${server.node}:${qvo(server)}`),
      ...routers.flatMap(({ name, ports, gateway }) =>
        [...ports, gateway].map((nic) => `qrouter-${name}:${qr(nic)} <-> br-int-${NETWORK_NODE}:${qr(nic)}`),
      ),
    ]),
  ];
}

/** Of tenants: VXLAN takes 50 bytes of 1,500. */
const MTU = 1_450;

const qvo = ({ tap }: Server) => tap.replace('tap', 'qvo');
const qvb = ({ tap }: Server) => tap.replace('tap', 'qvb');

/** Of what comes to the programs of a router, tenants are told the frame, and Linux has taken it off. */
const frameless: Instruction = block(
  ...['Ether.dst', 'Ether.src', 'Ether.type'].map((name): Instruction => ({ op: 'deallocate', at: field(name) })),
);

/** The metadata agent has a proxy in the namespace of each router, to which requests for 169.254.169.254 are redirected. */
const METADATA = '169.254.169.254';
const PROXY = 9_697;
const toProxy = all(fieldIs('IPv4.proto', 6), fieldIs('TCP.dport', PROXY));
/** The proxy asks the kernel whom its client asked (SO_ORIGINAL_DST). */
const asAsked: Instruction = block(
  assign(field('IPv4.dst'), constant(number(METADATA), 32)),
  assign(field('TCP.dport'), constant(80, 16)),
);

/** What the tenants asked for. */
export function intended({ dump, routers }: Deployment): Network {
  const { network } = assemble('tenants', [{ path: 'neutron.json', text: dump }]);
  const programs = routers.flatMap(({ name }): readonly [PortId, Instruction][] => [
    [
      `${name}:local:out`,
      block(frameless, branch(toProxy, drop('no server asks the proxy itself'), nothing), forward(`${name}:programs`)),
    ],
    [`${name}:metadata:out`, block(frameless, forward(`${name}:metadata`))],
  ]);
  return { ...network, programs: new Map([...network.programs, ...programs]) };
}

/** The nodes as they are read; the cards of servers take no frames but their own, interfaces of bridges themselves are down. */
export function realised(made: Deployment, faults: Faults = {}): Assembled {
  const assembled = assemble('nodes', filesOfNodes(made, faults));
  const { network } = assembled;
  const cards = made.servers.map(({ node, tap, mac, name }): [PortId, Instruction] => [
    `${node}:${tap}:out`,
    block(
      constrain(compare(read(field('Ether.dst')), '==', constant(mac, 48)), 'a frame for another card'),
      forward(`${name}:card:out`),
    ),
  ]);
  const own = [...made.nodes, NETWORK_NODE].flatMap((node) =>
    ['br-int', 'br-tun', 'br-ex'].map((bridge): [PortId, Instruction] => [
      `${bridge}-${node}:${bridge}:out`,
      drop('the interface is down'),
    ]),
  );
  const local = made.routers.map(({ name }): [PortId, Instruction] => [
    `qrouter-${name}:local:out`,
    branch(toProxy, block(asAsked, forward(`qrouter-${name}:metadata`)), forward(`qrouter-${name}:programs`)),
  ]);
  return {
    ...assembled,
    network: { ...network, programs: new Map([...network.programs, ...cards, ...own, ...local]) },
  };
}

/** Names of fields in which packets may differ: checksums, and who answers outside, which the tenants do not know. */
export const IGNORED = ['IPv4.checksum', 'TCP.checksum', 'UDP.checksum', 'ICMP.checksum', 'Ether.dst'];

/**
 * What is compared: from each server, packets to stations of its network, for addresses that somebody has. Of others no listing
 * tells who answers, and flows that Open vSwitch learns may lead anywhere.
 */
export function startsOf(
  { servers, routers }: Deployment,
  layouts: readonly Layout[],
  /** Addresses of further stations. */
  also: readonly number[] = [],
): readonly Start[] {
  const nics = [...servers, ...routers.flatMap(({ ports, gateway }) => [...ports, gateway])];
  const floating = routers.flatMap((router) => router.floating.map(({ address }) => address));
  const nobodys = [
    [number('10.0.0.0'), number('10.0.2.255')],
    [number('203.0.113.0'), number('203.0.113.255')],
  ] as const;
  const to = read(field('IPv4.dst'));
  const known = (tenant: number) =>
    nics.flatMap(({ network, address }) => (network === EXTERNAL || tenantOf(network) === tenant ? [address] : []));
  const addressed = (tenant: number) =>
    any(
      negation(within(to, nobodys)),
      within(
        to,
        [...new Set([...known(tenant), ...floating, EXTERNAL_GATEWAY].map(number))]
          .toSorted((a, b) => (a < b ? -1 : 1))
          .map((at) => [at, at] as const),
      ),
    );
  return servers.map(({ name, network }) => {
    const stations = nics
      .filter((nic) => nic.network === network)
      .map(({ mac }) => mac)
      .concat(also)
      .map((mac) => [BigInt(mac), BigInt(mac)] as const);
    return {
      port: `${name}:in`,
      layouts,
      assume: all(
        within(
          read(field('Ether.dst')),
          stations.toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ),
        addressed(tenantOf(network)),
        // How long a packet may be, the nodes say and the tenants do not.
        compare(read(field('IPv4.length')), '<=', constant(MTU, 16)),
      ),
    };
  });
}

/** Are the nodes what the tenants asked for? */
export function compared(made: Deployment, starts: readonly Start[], faults?: Faults): EquivalenceVerdict {
  return equivalence(intended(made), realised(made, faults).network, starts, {
    ports: portMap(made),
    ignored: IGNORED,
  });
}

/** Where a port of the deployment is on the nodes. */
export function portMap({ servers, routers }: Deployment): ReadonlyMap<PortId, PortId> {
  return new Map([
    ...servers.flatMap(({ name, node, tap }): [PortId, PortId][] => [
      [`${name}:in`, `${node}:${tap}:in`],
      [`${name}:out`, `${name}:card:out`],
    ]),
    ...routers.flatMap(({ name }): [PortId, PortId][] =>
      ['programs', 'metadata'].map((end) => [`${name}:${end}`, `qrouter-${name}:${end}`]),
    ),
    ['public:outside:out', `br-ex-${NETWORK_NODE}:eth2:out`],
  ]);
}

/** Who answers for which address in a network. */
type Answers = (network: number) => readonly { readonly address: string; readonly mac: number }[];

function neighboursOf(servers: readonly Server[], routers: readonly Router[]): Answers {
  const floating = routers.flatMap(({ gateway, floating: some }) =>
    some.map(({ address }) => ({ network: EXTERNAL, address, mac: gateway.mac })),
  );
  const nics = [...servers, ...routers.flatMap(({ ports, gateway }) => [...ports, gateway]), ...floating];
  const outside = { network: EXTERNAL, address: EXTERNAL_GATEWAY, mac: EXTERNAL_GATEWAY_MAC };
  return (network) => [...nics, outside].filter((nic) => nic.network === network);
}

/** The namespace of a router as `iptables-save`, `ip route`, `ip addr` and `ip neigh` show it. */
function namespaceOf(
  { name, ports, gateway, floating }: Router,
  answers: Answers,
  faults: Faults,
): readonly InputFile[] {
  const qg = qr(gateway);
  const agent = 'neutron-l3-agent';
  const asked = `-d ${METADATA}/32 -i qr-+ -p tcp -m tcp --dport 80`;
  const nat = [
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    ':INPUT ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ':POSTROUTING ACCEPT [0:0]',
    ...['POSTROUTING', 'PREROUTING', 'float-snat', 'snat'].map((chain) => `:${agent}-${chain} - [0:0]`),
    ':neutron-postrouting-bottom - [0:0]',
    `-A PREROUTING -j ${agent}-PREROUTING`,
    `-A POSTROUTING -j ${agent}-POSTROUTING`,
    '-A POSTROUTING -j neutron-postrouting-bottom',
    `-A ${agent}-POSTROUTING ! -i ${qg} ! -o ${qg} -m conntrack ! --ctstate DNAT -j ACCEPT`,
    `-A ${agent}-PREROUTING ${asked} -j REDIRECT --to-ports ${PROXY}`,
    ...floating.map(
      ({ address, fixed }) => `-A ${agent}-PREROUTING -d ${address}/32 -j DNAT --to-destination ${fixed}`,
    ),
    ...floating.map(({ address, fixed }) => `-A ${agent}-float-snat -s ${fixed}/32 -j SNAT --to-source ${address}`),
    `-A ${agent}-snat -j ${agent}-float-snat`,
    `-A ${agent}-snat -o ${qg} -j SNAT --to-source ${gateway.address}`,
    `-A ${agent}-snat -m mark ! --mark 0x2/0xffff -m conntrack --ctstate DNAT -j SNAT --to-source ${gateway.address}`,
    `-A neutron-postrouting-bottom -j ${agent}-snat`,
    'COMMIT',
    '*mangle',
    ':PREROUTING ACCEPT [0:0]',
    `-A PREROUTING ${asked} -j MARK --set-xmark 0x1/0xffff`,
    `-A PREROUTING -i ${qg} -j MARK --set-xmark 0x2/0xffff`,
    'COMMIT',
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    '-A INPUT -m mark --mark 0x1/0xffff -j ACCEPT',
    `-A INPUT -p tcp -m tcp --dport ${PROXY} -j DROP`,
    'COMMIT',
  ];
  const routes = [
    `default via ${EXTERNAL_GATEWAY} dev ${qg}`,
    `203.0.113.0/24 dev ${qg}`,
    ...ports.map((nic) => `${nic.address.replace(/\d+$/, '0')}/24 dev ${qr(nic)}`),
  ];
  const addresses = [...ports, gateway].flatMap((nic, i) => [
    `${i + 2}: ${qr(nic)}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu ${MTU} qdisc noqueue state UNKNOWN group default`,
    `    link/ether ${macText(nic.mac)} brd ff:ff:ff:ff:ff:ff`,
    `    inet ${nic.address}/24 brd ${nic.address.replace(/\d+$/, '255')} scope global ${qr(nic)}`,
    ...(nic === gateway
      ? floating.map(({ address }) => `    inet ${address}/32 brd ${address} scope global ${qg}`)
      : []),
  ]);
  const neighbours = [...ports, gateway].flatMap((nic) =>
    answers(nic.network)
      .filter(({ mac }) => mac !== nic.mac)
      .map(({ address, mac }) => `${address} dev ${qr(nic)} lladdr ${macText(mac)} REACHABLE`),
  );
  const file = (kind: string, lines: readonly string[]) => ({
    path: `qrouter-${name}.${kind}`,
    text: `${lines.join('\n')}\n`,
  });
  return [
    file('rules', faults.nat?.(nat, name) ?? nat),
    file('routes', faults.routes?.(routes, name) ?? routes),
    file('addresses', addresses),
    file('neighbours', neighbours),
  ];
}
