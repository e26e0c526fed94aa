import { all, any, compare, constant, masked, negation, read, type Condition } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { block, branch, constrain, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import { ALL_VLANS, type MacTable, owners } from '../../readers/mac.ts';
import type { VlanPort } from '../../readers/vlans/port.ts';
import type { BoxModel } from '../box-model.ts';
import { tooLong } from '../too-long.ts';
import { vlanSwitchModel } from '../vlan-switch.ts';
import type { NetfilterBox, NetfilterInterface } from './box.ts';

/** Stands for the bridges of a box that are not modelled. */
export const bridgesOf = (name: string): string => `${name} bridges`;
const boxOfBridge = (name: string, bridge: string): string => `${name}/${bridge}`;

/** Where frames of the box itself go that leave by a bridge. */
export function intoBridge(name: string, { name: bridge }: NetfilterInterface, box: NetfilterBox): Instruction {
  const isModelled = whyNot(box, bridge) === undefined;
  return forward(isModelled ? `${boxOfBridge(name, bridge)}:${bridge}:in` : `${bridgesOf(name)}:${bridge}`);
}

const GROUP = 1n << 40n;
const BROADCAST = (1n << 48n) - 1n;
/** No frame has this VLAN (IEEE 802.1Q, table 9-2): that of frames without a tag, where tags do not matter. */
const NO_TAG = 4_095;
const EVERY_TAG: ReadonlySet<number> = new Set(Array.from({ length: 4_094 }, (_, i) => i + 1));

const dst = read(field('Ether.dst'));
const isGroup = masked(dst, GROUP, GROUP);
const isFor = (mac: bigint): Condition => compare(dst, '==', constant(mac, 48));

/**
 * The bridges of a box, each as a switch `box/br0` between the interfaces that are its ports and the box itself, which is at
 * the port that has the name of the bridge. What the tables of stations said when they were read is taken to stay so.
 */
export function bridgeModels(name: string, box: NetfilterBox): Omit<BoxModel, 'box'> {
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  let unknown: ReadonlyMap<string, string> | undefined;
  const masters = new Set(
    box.interfaces.flatMap((each) =>
      each.master !== undefined ? [each.master] : each.kind === 'bridge' ? [each.name] : [],
    ),
  );
  for (const bridge of masters) {
    const why = whyNot(box, bridge);
    if (why === undefined) add(bridge);
    else {
      unknown = new Map([[bridgesOf(name), `where the bridges of ${name} send frames: ${why}`]]);
      for (const port of portsOf(box, bridge))
        programs.set(`${name}:${port.name}:in`, forward(`${bridgesOf(name)}:${bridge}`));
    }
  }
  return { programs, routines, ...(unknown === undefined ? {} : { unknown }) };

  function add(bridge: string): void {
    const own = box.interfaces.find((each) => each.name === bridge)!;
    const members = portsOf(box, bridge);
    const inner = boxOfBridge(name, bridge);
    const ports = [own, ...members].map((each) => switchPort(box, own, each));
    const model = vlanSwitchModel(inner, ports, stationsOf(box, own, members));
    for (const [port, program] of model.programs) programs.set(port, program);
    for (const [routine, body] of model.routines ?? []) routines.set(routine, body);
    const enter = programs.get(`${inner}:${bridge}:in`)!;
    programs.set(`${inner}:${bridge}:in`, block(withoutFrame(name, bridge), enter));
    for (const port of members) {
      const closed = whyClosed(port);
      const come = block(...doubtsOf(box, own, port), groups(inner, ports.length), forward(`${inner}:${port.name}:in`));
      const go = block(fits(port), forward(`${name}:${port.name}:out`));
      programs.set(`${name}:${port.name}:in`, closed === undefined ? come : drop(closed));
      // Stations may still be known behind it: their frames go nowhere, and not by the other ports.
      programs.set(`${inner}:${port.name}:out`, closed === undefined ? go : drop(closed));
    }
    const here = forward(`${name}:${bridge}:in`);
    const { mac } = own;
    const isOurs = mac === undefined ? undefined : any(isGroup, isFor(mac));
    const another = 'the frame is for another address';
    programs.set(`${inner}:${bridge}:out`, isOurs === undefined ? here : block(constrain(isOurs, another), here));
    const byWhich: Instruction = {
      op: 'doubt',
      what: `whether ${bridge} of ${name} takes frames for the address of a port`,
    };
    programs.set(`${inner}:cpu`, isOurs === undefined ? here : block(branch(isOurs, nothing, byWhich), here));
  }
}

const portsOf = (box: NetfilterBox, bridge: string) => box.interfaces.filter(({ master }) => master === bridge);

/** Undefined: the bridge is modelled. */
function whyNot(box: NetfilterBox, bridge: string): string | undefined {
  const own = box.interfaces.find(({ name }) => name === bridge);
  if (own?.kind !== 'bridge') return `${bridge} is no bridge, or nobody says that it is one (ip -d link)`;
  const ports = portsOf(box, bridge);
  if (own.bridge === undefined || ports.some(({ bridgePort }) => bridgePort === undefined))
    return `the settings of ${bridge} and its ports are not told (ip -d link)`;
  const tunnel = ports.find(({ vxlan }) => vxlan !== undefined);
  if (tunnel !== undefined) return `${tunnel.name} is a tunnel`;
  const inVlans = (name: string) => box.vlanPorts?.some((port) => port.name === name) === true;
  const without = own.bridge.filtersVlans ? [own, ...ports].find(({ name }) => !inVlans(name)) : undefined;
  return without === undefined ? undefined : `in which VLANs ${without.name} is (bridge vlan)`;
}

function switchPort(box: NetfilterBox, { bridge }: NetfilterInterface, { name, mtu }: NetfilterInterface): VlanPort {
  if (bridge!.filtersVlans) return box.vlanPorts!.find((port) => port.name === name)!;
  const source = mtu?.source ?? { file: name, line: 1 };
  return { name, pvid: NO_TAG, untagged: new Set([NO_TAG]), tagged: EVERY_TAG, source };
}

/** The entries of this bridge; its own addresses are those of the port `cpu`. */
function stationsOf(
  box: NetfilterBox,
  own: NetfilterInterface,
  members: readonly NetfilterInterface[],
): MacTable | undefined {
  const table = box.stations;
  if (table === undefined) return undefined;
  const names = members.map(({ name }) => name);
  const isOf = (name: string) => names.includes(name) || name === own.name;
  const kept = Array.from(table.addresses, (_, i) => i).filter(
    (i) => isOf(table.ports[table.port[i]!]!) && table.owners?.[i] !== owners.device,
  );
  const cpu = names.length;
  const portOf = (i: number) => {
    const at = names.indexOf(table.ports[table.port[i]!]!);
    return at < 0 || table.owners?.[i] === owners.bridge ? cpu : at;
  };
  const { filtersVlans } = own.bridge!;
  return {
    file: table.file,
    ports: [...names, 'cpu'],
    addresses: Float64Array.from(kept, (i) => table.addresses[i]!),
    vlans: Int32Array.from(kept, (i) => (filtersVlans ? table.vlans[i]! : ALL_VLANS)),
    port: Uint32Array.from(kept, portOf),
    lines: Uint32Array.from(kept, (i) => table.lines[i]!),
  };
}

function whyClosed({ name, up, bridgePort }: NetfilterInterface): string | undefined {
  if (up === false) return `${name} is down`;
  return bridgePort?.forwards === false ? `spanning tree has closed ${name}` : undefined;
}

/** Which ports want frames for a group, the bridge may have overheard (IGMP, MLD). */
function groups(inner: string, ports: number): Instruction {
  if (ports <= 2) return nothing;
  const overheard: Instruction = { op: 'doubt', what: `who in ${inner} wants frames for groups` };
  const multicast = branch(all(isGroup, negation(isFor(BROADCAST))), overheard, nothing);
  return branch({ kind: 'exists', at: field('Ether.dst') }, multicast, nothing);
}

function doubtsOf(box: NetfilterBox, { name: bridge, bridge: settings }: NetfilterInterface, port: NetfilterInterface) {
  const doubts: Instruction[] = [];
  const doubt = (what: string) => doubts.push({ op: 'doubt', what });
  if (port.bridgePort?.strange !== undefined) doubt(`what ${port.name} does with ${port.bridgePort.strange}`);
  const tables = box.rulesets.flatMap((ruleset) => ruleset.tables);
  if (tables.length > 0 && (settings!.callsFilter || box.bridgeFilter !== false))
    doubt(`what rules do with frames on ${bridge} (net.bridge.bridge-nf-call-iptables)`);
  if (!settings!.filtersVlans) {
    const tagged: Instruction = { op: 'doubt', what: `what becomes of tags on ${bridge}` };
    doubts.push(branch({ kind: 'exists', at: field('Vlan.id') }, tagged, nothing));
  }
  return doubts;
}

/** Whose frame it is decides where it goes: without one it is not known. */
const withoutFrame = (name: string, bridge: string): Instruction =>
  branch({ kind: 'exists', at: field('Ether.dst') }, nothing, {
    op: 'doubt',
    what: `for whom the frames are that ${name} sends by ${bridge} (ip neigh)`,
  });

/** A bridge takes nothing apart (is_skb_forwardable). */
function fits({ name, mtu }: NetfilterInterface): Instruction {
  if (mtu === undefined || mtu.bytes >= 65_535) return nothing;
  const why = tooLong(`the MTU of ${name}, ${mtu.bytes} bytes`);
  const most = (at: string, bytes: number) =>
    branch(
      { kind: 'exists', at: field(at) },
      {
        ...constrain(compare(read(field(at)), '<=', constant(bytes, 16)), why),
        ...(mtu.source === undefined ? {} : { source: mtu.source }),
      },
      nothing,
    );
  const isIp6 = compare(read(field('IPv4.version')), '==', constant(6, 4));
  return branch(
    { kind: 'exists', at: field('IPv4.version') },
    branch(isIp6, most('IPv6.length', mtu.bytes - 40), most('IPv4.length', mtu.bytes)),
    nothing,
  );
}
