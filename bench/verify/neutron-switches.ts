import type { InputFile } from '@superfluidity/verify';
import { EXTERNAL, macText, type Nic } from './neutron.ts';

/** A port of a virtual switch. */
export interface Plug {
  readonly nic: Nic;
  readonly node: string;
  /** The name of the port of `br-int`. */
  readonly device: string;
  /** Flows hold it to its addresses. */
  readonly guarded: boolean;
}

/** What may be different from how it ought to be, and the address of the gateway outside. */
interface Settings {
  readonly gateway: number;
  readonly tag: (tag: number, nic: Nic, vlans: ReadonlyMap<number, number>) => number;
  readonly flows: (lines: readonly string[], bridge: string) => readonly string[];
}

export const qr = ({ network, id }: Nic) =>
  `${network === EXTERNAL ? 'qg' : 'qr'}-${id.slice(0, 8)}-${id.slice(9, 11)}`;

const tunnelKey = (network: number) => 100 + network;
const overlay = (index: number) => `172.16.0.${11 + index}`;
const tunnelPort = (index: number) => `vxlan-ac1000${(11 + index).toString(16).padStart(2, '0')}`;

/** Numbers of the ports that do not belong to anybody. */
const PATCH_TUN = 1;
const INT_BR_EX = 2;
const FIRST = 3;

interface Node {
  readonly name: string;
  readonly plugs: readonly (Plug & { readonly number: number; readonly tag: number })[];
  /** The VLAN of a network here: the agent of each node numbers them for itself. */
  readonly vlans: ReadonlyMap<number, number>;
}

/**
 * The bridges `br-int`, `br-tun` and `br-ex` of nodes as `ovs-ofctl dump-flows`, `ovs-ofctl show`, `ovs-vsctl show` and
 * `ovs-appctl fdb/show` list them; the flows are those that neutron-openvswitch-agent makes with l2population.
 */
export function switches(plugs: readonly Plug[], names: readonly string[], settings: Settings): readonly InputFile[] {
  const nodes = names.map((name): Node => {
    const own = plugs.filter(({ node }) => node === name);
    const vlans = new Map([...new Set(own.map(({ nic }) => nic.network))].map((network, i) => [network, i + 1]));
    return {
      name,
      vlans,
      plugs: own.map((plug, i) => ({
        ...plug,
        number: FIRST + i,
        tag: settings.tag(vlans.get(plug.nic.network)!, plug.nic, vlans),
      })),
    };
  });
  const tunnels = nodes.flatMap(({ name }, i) =>
    nodes.flatMap((other, j) =>
      i < j ? [`br-tun-${name}:${tunnelPort(j)} <-> br-tun-${other.name}:${tunnelPort(i)}`] : [],
    ),
  );
  return [
    ...nodes.flatMap((node) => filesOf(node, nodes, settings)),
    { path: 'tunnels', text: `${tunnels.join('\n')}\n` },
  ];
}

const flow = (text: string, i: number) =>
  ` cookie=0xaa59115691cfe0c0, duration=7266.${100 + i}s, table=${text.replace(' ', `, n_packets=${i}, n_bytes=${i * 60}, idle_age=${i}, `)}`;

function filesOf(node: Node, nodes: readonly Node[], settings: Settings): readonly InputFile[] {
  const here = nodes.indexOf(node);
  const others = nodes.flatMap((other, i) =>
    i === here ? [] : [{ other, number: 2 + i, name: tunnelPort(i), to: overlay(i) }],
  );
  const outside = node.vlans.has(EXTERNAL);
  const file = (kind: string, bridge: string, lines: readonly string[]) => ({
    path: `${kind}-${bridge}-${node.name}.txt`,
    text: `${lines.join('\n')}\n`,
  });
  const flows = (bridge: string, lines: readonly string[]) =>
    file('flows', bridge, ['NXST_FLOW reply (xid=0x4):', ...settings.flows(lines, `${bridge}-${node.name}`).map(flow)]);
  const ports = (bridge: string, some: readonly (readonly [number, string])[]) =>
    file('ports', bridge, [
      'OFPST_PORT_DESC reply (xid=0x2):',
      ...[...some, ['LOCAL', bridge] as const].flatMap(([number, name]) => [
        ` ${number}(${name}): addr:06:ed:d2:cf:bc:83`,
        '     config:     0',
        '     state:      0',
      ]),
    ]);
  const ofInt = [
    [PATCH_TUN, 'patch-tun'],
    ...(outside ? ([[INT_BR_EX, 'int-br-ex']] as const) : []),
    ...node.plugs.map(({ number, device }) => [number, device] as const),
  ] as const;
  const ofTun = [[1, 'patch-int'], ...others.map(({ number, name }) => [number, name] as const)] as const;
  return [
    flows('br-int', flowsOfInt(node)),
    ports('br-int', ofInt),
    fdb('br-int', stationsOf(node, nodes, settings)),
    flows('br-tun', flowsOfTun(node, others)),
    ports('br-tun', ofTun),
    { path: `ovs-${node.name}.txt`, text: `${configuration(node, here, others).join('\n')}\n` },
    ...(outside
      ? [
          flows('br-ex', [
            `0 priority=4,in_port=1,dl_vlan=${node.vlans.get(EXTERNAL)} actions=strip_vlan,NORMAL`,
            '0 priority=2,in_port=1 actions=drop',
            '0 priority=0 actions=NORMAL',
          ]),
          ports('br-ex', [
            [1, 'phy-br-ex'],
            [2, 'eth2'],
          ]),
          fdb('br-ex', [
            [2, 0, settings.gateway],
            ...node.plugs.filter(({ nic }) => nic.network === EXTERNAL).map(({ nic }) => [1, 0, nic.mac] as const),
          ]),
        ]
      : []),
  ];

  function fdb(bridge: string, stations: readonly Station[]): InputFile {
    return file('fdb', bridge, [
      ' port  VLAN  MAC                Age',
      ...stations.map(
        ([port, vlan, mac], i) =>
          `${String(port).padStart(5)}  ${String(vlan).padStart(4)}  ${macText(mac)}  ${String(i % 300).padStart(3)}`,
      ),
    ]);
  }
}

type Station = readonly [port: number, vlan: number, mac: number];

/** A port learns what is sent into its VLAN; what is elsewhere comes by the bridge that leads there. */
function stationsOf({ name, plugs, vlans }: Node, nodes: readonly Node[], { gateway }: Settings): readonly Station[] {
  const elsewhere = nodes.filter((node) => node.name !== name).flatMap((node) => node.plugs);
  const external = vlans.get(EXTERNAL);
  return [
    ...plugs.map(({ number, tag, nic }) => [number, tag, nic.mac] as const),
    ...elsewhere.flatMap(({ nic }) => {
      const vlan = vlans.get(nic.network);
      return vlan === undefined ? [] : [[PATCH_TUN, vlan, nic.mac] as const];
    }),
    ...(external === undefined ? [] : [[INT_BR_EX, external, gateway] as const]),
  ];
}

function flowsOfInt({ plugs, vlans }: Node): readonly string[] {
  const external = vlans.get(EXTERNAL);
  const guarded = plugs.filter((plug) => plug.guarded);
  return [
    ...guarded.map(({ number }) => `0 priority=10,arp,in_port=${number} actions=resubmit(,24)`),
    ...guarded.map(({ number }) => `0 priority=9,in_port=${number} actions=resubmit(,25)`),
    ...(external === undefined
      ? []
      : [
          `0 priority=3,in_port=${INT_BR_EX},vlan_tci=0x0000 actions=mod_vlan_vid:${external},NORMAL`,
          `0 priority=2,in_port=${INT_BR_EX} actions=drop`,
        ]),
    '0 priority=0 actions=NORMAL',
    '23 priority=0 actions=drop',
    ...guarded.map(
      ({ number, nic }) => `24 priority=2,arp,in_port=${number},arp_spa=${nic.address} actions=resubmit(,25)`,
    ),
    '24 priority=0 actions=drop',
    ...guarded.map(({ number, nic }) => `25 priority=2,in_port=${number},dl_src=${macText(nic.mac)} actions=NORMAL`),
  ];
}

interface Remote {
  readonly other: Node;
  readonly number: number;
  readonly name: string;
  readonly to: string;
}

function flowsOfTun({ vlans }: Node, others: readonly Remote[]): readonly string[] {
  const tunnelled = [...vlans].filter(([network]) => network !== EXTERNAL);
  const key = (network: number) => `0x${tunnelKey(network).toString(16)}`;
  const learned =
    'learn(table=20,hard_timeout=300,priority=1,cookie=0xaa59115691cfe0c0,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],' +
    'load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]),output:1';
  return [
    '0 priority=1,in_port=1 actions=resubmit(,2)',
    ...others.map(({ number }) => `0 priority=1,in_port=${number} actions=resubmit(,4)`),
    '0 priority=0 actions=drop',
    '2 priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)',
    '2 priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,22)',
    '3 priority=0 actions=drop',
    ...tunnelled.map(
      ([network, vlan]) => `4 priority=1,tun_id=${key(network)} actions=mod_vlan_vid:${vlan},resubmit(,10)`,
    ),
    '4 priority=0 actions=drop',
    '6 priority=0 actions=drop',
    `10 priority=1 actions=${learned}`,
    ...others.flatMap(({ other, number }) =>
      other.plugs.flatMap(({ nic }) => {
        const vlan = nic.network === EXTERNAL ? undefined : vlans.get(nic.network);
        const actions = `strip_vlan,set_tunnel:${key(nic.network)},output:${number}`;
        return vlan === undefined
          ? []
          : [`20 priority=2,dl_vlan=${vlan},dl_dst=${macText(nic.mac)} actions=${actions}`];
      }),
    ),
    '20 priority=0 actions=resubmit(,22)',
    ...tunnelled.flatMap(([network, vlan]) => {
      const to = others.filter(({ other }) => other.vlans.has(network)).map(({ number }) => `output:${number}`);
      return to.length === 0
        ? []
        : [`22 priority=1,dl_vlan=${vlan} actions=strip_vlan,set_tunnel:${key(network)},${to.join()}`];
    }),
    '22 priority=0 actions=drop',
  ];
}

/** `ovs-vsctl show` */
function configuration({ name, plugs, vlans }: Node, here: number, others: readonly Remote[]): readonly string[] {
  const port = (port: string, type?: string, options?: string, tag?: number) => [
    `        Port ${port}`,
    ...(tag === undefined ? [] : [`            tag: ${tag}`]),
    `            Interface ${port}`,
    ...(type === undefined ? [] : [`                type: ${type}`]),
    ...(options === undefined ? [] : [`                options: {${options}}`]),
  ];
  const bridge = (own: string, lines: readonly string[]) => [
    `    Bridge ${own}`,
    '        fail_mode: secure',
    ...lines,
    ...port(own, 'internal'),
  ];
  const outside = vlans.has(EXTERNAL);
  return [
    `4b21ae7e-0000-4000-8000-${name.padStart(12, '0').slice(0, 12)}`,
    ...bridge('br-int', [
      ...port('patch-tun', 'patch', 'peer=patch-int'),
      ...(outside ? port('int-br-ex', 'patch', 'peer=phy-br-ex') : []),
      ...plugs.flatMap(({ device, tag, guarded }) => port(device, guarded ? undefined : 'internal', undefined, tag)),
    ]),
    ...bridge('br-tun', [
      ...port('patch-int', 'patch', 'peer=patch-tun'),
      ...others.flatMap((other) =>
        port(
          other.name,
          'vxlan',
          `df_default="true", in_key=flow, local_ip="${overlay(here)}", out_key=flow, remote_ip="${other.to}"`,
        ),
      ),
    ]),
    ...(outside ? bridge('br-ex', [...port('phy-br-ex', 'patch', 'peer=int-br-ex'), ...port('eth2')]) : []),
    '    ovs_version: "2.9.0"',
  ];
}
