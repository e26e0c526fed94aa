import { append, SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Instruction } from '../ir/instruction.ts';
import { inputLimits } from '../limits.ts';
import type { BoxModel } from '../models/box-model.ts';
import { ciscoModel } from '../models/cisco/router.ts';
import { portsOfConfig } from '../models/cisco/ports.ts';
import { isRouted, type Segments, segmentsOf } from '../models/cisco/segments.ts';
import { type ClickModel, clickModel } from '../models/click/model.ts';
import { bridgeFirewall } from '../models/neutron/bridge-firewall.ts';
import type { NeutronEnd } from '../models/neutron/model.ts';
import { netfilterModel } from '../models/netfilter/model.ts';
import { type OpenflowModel, openflowModel } from '../models/openflow/model.ts';
import { routerModel } from '../models/router.ts';
import { switchModel } from '../models/switch.ts';
import { vlanSwitchModel } from '../models/vlan-switch.ts';
import { type Box, boxOf, type Mtu, type Network, type PortId } from '../network.ts';
import type { FileReading } from '../read/ledger.ts';
import { countLines, unusable } from '../read/lines.ts';
import type { InputFile } from '../read/reader.ts';
import { interfaceKey } from '../readers/cisco/names.ts';
import type { ReadLink } from '../readers/links.ts';
import type { ReadStart } from '../readers/starts.ts';
import type { VlanPort } from '../readers/vlans/port.ts';
import { anything, doubtOf, orAnything } from './doubts.ts';
import { isLinux, linuxBox } from './linux-box.ts';
import { seflNetwork } from './sefl.ts';
import { neutronOf } from './neutron.ts';
import { type BoxParts, partsOf, type ReadFiles } from './parts.ts';
import { rulesNetwork } from './rule-files.ts';
import { bridgeOf, endsOf, patches, switchPort } from './openflow.ts';
import { veths } from './veths.ts';

export interface Assembled {
  readonly network: Network;
  /** Where packets come in from outside, as a file of starts or the boxes say: the natural starts of a question. */
  readonly entries: readonly PortId[];
  /** Ports of Neutron by their identifiers, where files of a cloud or of its nodes say which they are. */
  readonly ends: ReadonlyMap<string, NeutronEnd>;
  /** What was understood of each file, and what was not. */
  readonly readings: readonly FileReading[];
}

/**
 * A network from the files that people have. Each file is recognised by what is in it; a box is named after its files, and
 * one that has rules of a packet filter is a Linux box. Lines that were not understood put a doubt on every packet that
 * goes through their box.
 */
export function assemble(name: string, files: readonly InputFile[]): Assembled {
  if (files.length > inputLimits.files) tooLarge(`${files.length} files`, `${inputLimits.files} files`);
  for (const file of files) {
    if (file.text.length > inputLimits.fileBytes) tooLarge(file.path, `${inputLimits.fileBytes} characters`);
    countLines(file);
  }
  const whole = seflNetwork(files) ?? rulesNetwork(name, files);
  if (whole !== undefined) return whole;
  const read: ReadFiles = partsOf(files);
  const boxes = new Map<string, Box>();
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  const entries: PortId[] = [];
  const unknown = new Map<string, string>();
  const ends: ClickEnds[] = [];
  const switches = new Map<string, OpenflowModel>();
  const configs = [...read.boxes].flatMap(([box, parts]) =>
    parts.config === undefined || switchPortsOf(parts) !== undefined ? [] : [[box, parts.config] as const],
  );
  const vlanPorts = new Map<string, readonly string[]>();
  const segments = segmentsOf(new Map(configs), read.links);
  for (const [box, parts] of read.boxes) {
    const model = modelOf(box, parts, read, segments);
    if (model === undefined) continue;
    boxes.set(box, model.box);
    if (isClick(model)) ends.push(model);
    if (isOpenflow(model)) switches.set(box, model);
    const own = switchPortsOf(parts);
    if (own !== undefined) {
      vlanPorts.set(
        box,
        own.map(({ name: port }) => port),
      );
    }
    entries.push(
      ...(isClick(model) ? model.entries : [...model.programs.keys()].filter((port) => port.endsWith(':in'))),
    );
    const doubts = parts.readings.flatMap(doubtOf);
    for (const [port, program] of model.programs) programs.set(port, orAnything(box, program, doubts));
    if (doubts.length > 0) unknown.set(anything(box), `what ${box} does where it was not understood`);
    for (const [routine, body] of model.routines ?? []) routines.set(routine, body);
    for (const [apart, why] of model.unknown ?? []) unknown.set(apart, why);
  }
  const tenants = neutronOf(read.neutron);
  if (tenants !== undefined) {
    for (const [box, made] of tenants.boxes) boxes.set(box, made);
    for (const [port, program] of tenants.programs) programs.set(port, program);
    for (const [routine, body] of tenants.routines) routines.set(routine, body);
    append(entries, tenants.entries);
    if (read.neutron.some(({ reading }) => doubtOf(reading).length > 0)) {
      unknown.set(anything('tenants'), 'what Neutron makes of what was not understood');
    }
  }
  for (const [box, file] of read.unknown) {
    if (!boxes.has(box)) unknown.set(box, `what ${box} does: ${file} is not recognised`);
  }
  const { links, mtus } = linksBetween(
    [...segments.links, ...patches(boxes, read.vswitches), ...veths(read.boxes)].map((link) => ({
      ...link,
      from: vlanPort(link.from, vlanPorts),
      to: vlanPort(link.to, vlanPorts),
    })),
    programs,
    ends,
    switches,
  );
  for (const [box, { interfaces }] of read.boxes) {
    for (const { name: interface_, mtu } of interfaces) {
      const port = `${box}:${interface_}`;
      if (mtu !== undefined) smallest(mtus, programs.has(`${port}:in`) ? `${port}:out` : port, mtu);
    }
  }
  for (const [port, mtu] of tenants?.mtus ?? []) smallest(mtus, port, mtu);
  return {
    network: { name, boxes, programs, links, routines, unknown, ...(mtus.size === 0 ? {} : { mtus }) },
    ends: new Map([...(tenants?.ends ?? []), ...[...switches].flatMap(([box, model]) => endsOf(box, model))]),
    entries: read.starts.length === 0 ? entries : read.starts.map((start) => startOf(start, boxes, programs, ends)),
    readings: [...[...read.boxes.values()].flatMap(({ readings }) => readings), ...read.readings],
  };
}

type ClickEnds = Pick<ClickModel, 'entries' | 'exits' | 'openOutputs'>;

const isOpenflow = (model: BoxModel): model is OpenflowModel => model.box.kind === 'openflow';
const isClick = (model: BoxModel): model is ClickModel => 'openOutputs' in model;

function modelOf(
  name: string,
  parts: BoxParts,
  { vswitches, links }: ReadFiles,
  segments: Segments,
): BoxModel | undefined {
  if (parts.flows !== undefined) {
    const configured = bridgeOf(name, vswitches)?.ports;
    return openflowModel(name, {
      flows: parts.flows,
      ports: parts.switchPorts ?? [],
      ...(configured === undefined ? {} : { configured }),
      ...(parts.groups === undefined ? {} : { groups: parts.groups }),
      ...(parts.learned === undefined ? {} : { learned: parts.learned }),
    });
  }
  const [configuration] = parts.click;
  if (configuration !== undefined) return clickModel(name, configuration);
  const isBridging = parts.bridges !== undefined && parts.interfaces.length === 0 && parts.fib === undefined;
  if (parts.rulesets.length > 0 && isBridging) {
    return bridgeFirewall(name, parts.bridges!, parts.rulesets, parts.ipsets);
  }
  if (isLinux(parts)) {
    const isLinked = (device: string) => links.some(({ from }) => from === `${name}:${device}`);
    return netfilterModel(name, linuxBox(parts, isLinked));
  }
  const switchPorts = switchPortsOf(parts);
  if (switchPorts !== undefined) return vlanSwitchModel(name, switchPorts, parts.macTable);
  const { config, fib, ownAddresses } = parts;
  if (config !== undefined) {
    const neighbours = (port: string) => segments.neighbours(name, port);
    return ciscoModel(name, { config, ...(fib === undefined ? {} : { fib }), ownAddresses, neighbours });
  }
  if (parts.fib !== undefined || parts.fib6 !== undefined) return routerModel(name, parts, parts.ownAddresses);
  return parts.macTable === undefined ? undefined : switchModel(name, parts.macTable);
}

/**
 * A switch of which it is known in which VLANs its ports are: from a file of its ports, or from its configuration where that has
 * a table of MAC addresses beside it and not more than an address for those who look after it.
 */
function switchPortsOf({ config, fib, macTable, vlanPorts }: BoxParts): readonly VlanPort[] | undefined {
  if (config === undefined) return vlanPorts.length > 0 && fib === undefined ? vlanPorts : undefined;
  const isRouter = fib !== undefined || config.interfaces.filter(isRouted).length > 1;
  return macTable === undefined || isRouter ? undefined : portsOfConfig(config);
}

/** `sw:GigabitEthernet0/1` and `sw:gi0/1` are `sw:Gi0/1`. */
function vlanPort(written: PortId, ports: ReadonlyMap<string, readonly string[]>): PortId {
  const box = boxOf(written);
  const key = interfaceKey(written.slice(box.length + 1));
  const found = ports.get(box)?.find((name) => interfaceKey(name) === key);
  return found === undefined ? written : `${box}:${found}`;
}

/**
 * The ports of a Linux box have a way in and a way out: `fw:eth0` is `fw:eth0:out` where a link begins. Those of a Click box
 * are elements: `nat:to-core`, or `nat:switch:1` for an output that nothing inside is connected to.
 */
function linksBetween(
  read: readonly (Pick<ReadLink, 'from' | 'to'> & Partial<ReadLink>)[],
  programs: ReadonlyMap<PortId, Instruction>,
  ends: readonly ClickEnds[],
  switches: ReadonlyMap<string, OpenflowModel>,
): { readonly links: ReadonlyMap<PortId, readonly PortId[]>; readonly mtus: Map<PortId, Mtu> } {
  const mtus = new Map<PortId, Mtu>();
  const outputs = ends.flatMap(({ exits, openOutputs }) => [...exits, ...openOutputs]);
  const inputs = ends.flatMap(({ entries }) => entries);
  const links = new Map<PortId, PortId[]>();
  const isLinux = (port: PortId) => programs.has(`${port}:in`);
  const end = (to: PortId): PortId => {
    if (isLinux(to)) return `${to}:in`;
    // A box that treats all its inputs alike has one for all links; its interfaces are its outputs.
    const input = `${boxOf(to)}:in`;
    return programs.has(input) ? input : clickPort(to, '', inputs);
  };
  for (const link of read) {
    const [from, to] = [switchPort(link.from, switches), switchPort(link.to, switches)];
    const begin = isLinux(from) ? `${from}:out` : clickPort(from, 'out', outputs);
    // A link that is told twice is one.
    links.set(begin, [...new Set([...(links.get(begin) ?? []), end(to)])]);
    if (link.mtu !== undefined && link.source !== undefined) {
      smallest(mtus, begin, { bytes: link.mtu, source: link.source });
    }
  }
  return { links, mtus };
}

/** Of what is said of a port, by its box and by its links, the smallest counts. */
function smallest(mtus: Map<PortId, Mtu>, port: PortId, mtu: Mtu): void {
  if (mtu.bytes < (mtus.get(port)?.bytes ?? Infinity)) mtus.set(port, mtu);
}

/** Of a file of starts: the port where packets come in, or any other port of a box that is there. */
function startOf(
  { port, source }: ReadStart,
  boxes: ReadonlyMap<string, Box>,
  programs: ReadonlyMap<PortId, Instruction>,
  ends: readonly ClickEnds[],
): PortId {
  const box = boxOf(port);
  if (!boxes.has(box)) throw unusable(source.file, source.line, `there is no box ${box}`);
  const whole = [port, `${port}:in`, `${box}:in`].find((each) => programs.has(each));
  const inputs = ends.flatMap(({ entries }) => entries);
  const outputs = ends.flatMap(({ exits, openOutputs }) => [...exits, ...openOutputs]);
  return whole ?? [clickPort(port, '', inputs), clickPort(port, 'out', outputs)].find((each) => each !== port) ?? port;
}

/** The port of a Click box that is meant; what is none stays as it is written. */
function clickPort(written: PortId, prefix: 'out' | '', ports: readonly PortId[]): PortId {
  const [box, element, number = '0'] = written.split(':');
  const exact = `${box}:${element}:${prefix}${number}`;
  if (ports.includes(exact)) return exact;
  return ports.find((port) => port.startsWith(`${box}:${element}:`)) ?? written;
}

function tooLarge(what: string, most: string): never {
  throw new SuperfluidityError('SF-VERIFY-LIMIT', { reason: `${what}, at most ${most}` });
}
