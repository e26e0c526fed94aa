import {
  assemble,
  assign,
  block,
  branch,
  bridgeFirewall,
  constant,
  drop,
  field,
  forward,
  fresh,
  type InputFile,
  type Instruction,
  type Match,
  meta,
  type Network,
  type PortId,
  read,
  readIptables,
  type Table,
  compare,
} from '@superfluidity/verify';
import { type Deployment, EXTERNAL, EXTERNAL_GATEWAY, macText, type Nic, type Router, type Server } from './neutron.ts';

const NETWORK_NODE = 'network1';
const number = (address: string) => address.split('.').reduce((all, part) => all * 256n + BigInt(part), 0n);

/** Changes of a realised deployment: what agents may get wrong. */
export interface Faults {
  /** Of the lines of iptables of a compute node. */
  readonly rules?: (lines: readonly string[], node: string) => readonly string[];
  /** The VLAN that a port gets. */
  readonly tag?: (tag: number, nic: Nic) => number;
  /** Of the lines of `ip route` in the namespace of a router. */
  readonly routes?: (lines: readonly string[], router: string) => readonly string[];
}

/**
 * What the agents of Neutron make of a deployment: iptables of the hybrid firewall driver at the bridge of each server,
 * integration bridges with a VLAN for each network on each node, tunnels between the nodes, and namespaces of routers.
 */
export function realised({ servers, routers, nodes }: Deployment, faults: Faults = {}): Network {
  const [vlan, tunnel] = [meta('vlan'), meta('tunnel')];
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  const links = new Map<PortId, readonly PortId[]>();
  const plugs: Plug[] = [];
  for (const node of nodes) {
    const own = servers.filter((server) => server.node === node);
    const lines = faults.rules?.(iptables(own), node) ?? iptables(own);
    const { value } = readIptables({ path: `${node}.rules`, text: lines.join('\n') });
    const bridges = own.map(({ tap }) => ({
      bridge: tap.replace('tap', 'qbr'),
      tap,
      veth: tap.replace('tap', 'qvb'),
    }));
    const model = bridgeFirewall(node, bridges, [value]);
    for (const [port, program] of model.programs) programs.set(port, program);
    for (const [name, body] of model.routines ?? []) routines.set(name, body);
    for (const [i, server] of own.entries()) {
      const { veth } = bridges[i]!;
      plugs.push({ nic: server, node, into: `${node}:${veth}:in`, out: `${node}:${veth}:out` });
    }
  }
  const namespaces = assemble(
    'routers',
    routers.flatMap((router) => filesOf(router, faults)),
  ).network;
  for (const [port, program] of namespaces.programs) programs.set(port, program);
  for (const [name, body] of namespaces.routines) routines.set(name, body);
  const owners = ownersOf(servers, routers);
  for (const router of routers) {
    for (const nic of [...router.ports, router.gateway]) {
      const port = `qrouter-${router.name}:${device(nic)}`;
      programs.set(`${port}:out`, resolve(nic, owners, `${port}:wire`));
      plugs.push({ nic, node: NETWORK_NODE, into: `${port}:in`, out: `${port}:wire` });
    }
  }
  // On each node, VLANs are numbered by the agent there.
  const tags = new Map<string, Map<number, number>>();
  for (const { nic, node } of plugs) {
    const own = tags.get(node) ?? new Map<number, number>();
    tags.set(node, own);
    if (nic.network !== EXTERNAL && !own.has(nic.network)) own.set(nic.network, own.size + 1);
  }
  const tagged = plugs.map((plug) => {
    const right = tags.get(plug.node)!.get(plug.nic.network) ?? 0;
    return { ...plug, tag: faults.tag?.(right, plug.nic) ?? right };
  });
  for (const { nic, node, tag, out } of tagged) {
    const enter = nic.network === EXTERNAL ? forward('br-ex:in') : forward(`${node}-br-int:in`);
    programs.set(out, block(assign(vlan, constant(tag, 12)), enter));
  }
  for (const [node, own] of tags) {
    const here = tagged.filter((plug) => plug.node === node && plug.nic.network !== EXTERNAL);
    programs.set(`${node}-br-int:in`, switching(node, here, vlan, forward(`${node}-br-tun:in`)));
    programs.set(
      `${node}-br-tun:in`,
      chosen(
        `${node} tunnels`,
        vlan,
        12,
        [...own].map(([network, tag]) => [BigInt(tag), toNode(network)]),
      ),
    );
    programs.set(
      `${node}-br-tun:received`,
      block(
        chosen(
          `${node} VLANs`,
          tunnel,
          24,
          [...own].map(([network, tag]) => [BigInt(100 + network), assign(vlan, constant(tag, 12))]),
        ),
        switching(node, here, vlan, drop('no port of the VLAN has that address')),
      ),
    );
  }
  programs.set('br-ex:in', external(tagged.filter(({ nic }) => nic.network === EXTERNAL)));
  programs.set('public:outside:in', forward('br-ex:in'));
  return { name: 'nodes', boxes: namespaces.boxes, programs, links, routines };

  /** Tunnel bridges know on which node each address is (l2population). */
  function toNode(network: number): Instruction {
    const key = assign(tunnel, constant(100 + network, 24));
    const remote = plugs.filter(({ nic }) => nic.network === network);
    const rules = remote.map(({ nic, node }): readonly [bigint, Instruction] => [
      BigInt(nic.mac),
      forward(`${node}-br-tun:received`),
    ]);
    return block(key, chosen(`tunnel ${network}`, field('Ether.dst'), 48, rules));
  }
}

interface Plug {
  readonly nic: Nic;
  readonly node: string;
  /** Where frames for it go, and where those that it sends come from. */
  readonly into: PortId;
  readonly out: PortId;
}

/** Where a port of the deployment is on the nodes. */
export function portMap({ servers, routers }: Deployment): ReadonlyMap<PortId, PortId> {
  return new Map([
    ...servers.flatMap(({ name, node, tap }): [PortId, PortId][] => [
      [`${name}:in`, `${node}:${tap}:in`],
      [`${name}:out`, `${node}:${tap}:out`],
    ]),
    ...routers.map(({ name }): [PortId, PortId] => [`${name}:local:out`, `qrouter-${name}:local:out`]),
  ]);
}

type Choice = readonly [value: bigint, then: Instruction];

function chosen(
  name: string,
  of: Parameters<typeof read>[0],
  width: number,
  choices: readonly Choice[],
  miss: Instruction = drop(`${name}: unknown`),
): Instruction {
  const rules = choices.map(([value], behaviour) => ({
    match: [{ kind: 'range', low: value, high: value } as Match],
    behaviour,
  }));
  const table: Table = {
    name,
    keys: [{ of: read(of), width, absent: 'fail' }],
    entries: { kind: 'rules', rules },
    behaviours: choices.map(([, then]) => then),
    miss,
  };
  return { op: 'table', table };
}

function switching(
  node: string,
  plugs: readonly (Plug & { readonly tag: number })[],
  vlan: ReturnType<typeof meta>,
  elsewhere: Instruction,
): Instruction {
  const byTag = Map.groupBy(plugs, ({ tag }) => tag);
  const inVlan = (some: readonly Plug[]) =>
    chosen(
      `${node} addresses`,
      field('Ether.dst'),
      48,
      some.map(({ nic, into }): Choice => [BigInt(nic.mac), forward(into)]),
      elsewhere,
    );
  return chosen(
    `${node} VLANs`,
    vlan,
    12,
    [...byTag].map(([tag, some]): Choice => [BigInt(tag), inVlan(some)]),
  );
}

function external(plugs: readonly Plug[]): Instruction {
  const group = compare({ kind: 'slice', of: read(field('Ether.dst')), high: 40, low: 40 }, '==', constant(1, 1));
  const known = plugs.map(({ nic, into }): Choice => [BigInt(nic.mac), forward(into)]);
  const frames = chosen('br-ex addresses', field('Ether.dst'), 48, known, forward('public:outside:out'));
  return branch(group, drop('broadcast and multicast are not modelled'), frames);
}

const device = ({ network }: Nic) => (network === EXTERNAL ? 'qg-public' : `qr-${network}`);

type Owners = ReadonlyMap<string, number>;

/** Who answers for an address in a network: `3 10.0.0.1`. */
function ownersOf(servers: readonly Server[], routers: readonly Router[]): Owners {
  const nics = [...servers, ...routers.flatMap(({ ports, gateway }) => [...ports, gateway])];
  return new Map([
    ...nics.map((nic): [string, number] => [`${nic.network} ${nic.address}`, nic.mac]),
    ...routers.flatMap(({ gateway, floating }) =>
      floating.map(({ address }): [string, number] => [`${EXTERNAL} ${address}`, gateway.mac]),
    ),
  ]);
}

/** The neighbour to which the kernel sends, with its MAC address; all behind the gateway outside is alike. */
function resolve(nic: Nic, owners: Owners, wire: PortId): Instruction {
  const to = field('Ether.dst');
  const known = [...owners].flatMap(([where, mac]): Choice[] => {
    const [network, address] = where.split(' ');
    return Number(network) === nic.network ? [[number(address!), assign(to, constant(mac, 48))]] : [];
  });
  const others =
    nic.network === EXTERNAL
      ? block(assign(to, fresh('MAC address of a host outside', 48)), forward('public:outside:out'))
      : drop('nobody answers for the address');
  return block(
    assign(field('Ether.src'), constant(nic.mac, 48)),
    chosen(`neighbours of ${nic.address}`, field('IPv4.dst'), 32, known, others),
    forward(wire),
  );
}

/** The namespace of a router as `iptables-save`, `ip route` and `ip -o addr` show it. */
function filesOf({ name, ports, gateway, floating }: Router, faults: Faults): readonly InputFile[] {
  const qg = device(gateway);
  const agent = 'neutron-l3-agent';
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
    `-A PREROUTING -i ${qg} -j MARK --set-xmark 0x2/0xffff`,
    'COMMIT',
  ];
  const routes = [
    `default via ${EXTERNAL_GATEWAY} dev ${qg}`,
    `203.0.113.0/24 dev ${qg}`,
    ...ports.map((nic) => `${nic.address.replace(/\d+$/, '0')}/24 dev ${device(nic)}`),
  ];
  const addresses = [
    ...ports.map((nic) => `${device(nic)} inet ${nic.address}/24`),
    `${qg} inet ${gateway.address}/24`,
    ...floating.map(({ address }) => `${qg} inet ${address}/32`),
  ];
  const file = (kind: string, lines: readonly string[]) => ({
    path: `qrouter-${name}.${kind}`,
    text: `${lines.join('\n')}\n`,
  });
  return [
    file('rules', nat),
    file('routes', faults.routes?.(routes, name) ?? routes),
    file(
      'addresses',
      addresses.map((line, i) => `${i + 2}: ${line}`),
    ),
  ];
}

/** The table filter of a compute node, in the chains of the driver iptables_hybrid. */
function iptables(servers: readonly Server[]): readonly string[] {
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
