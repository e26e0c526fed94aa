import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import type { Instruction } from '../ir/instruction.ts';
import { inputLimits } from '../limits.ts';
import type { BoxModel } from '../models/box-model.ts';
import { type ClickModel, clickModel } from '../models/click/model.ts';
import { netfilterModel } from '../models/netfilter/model.ts';
import { type OpenflowModel, openflowModel } from '../models/openflow/model.ts';
import { routerModel } from '../models/router.ts';
import { switchModel } from '../models/switch.ts';
import { type Box, boxOf, type Mtu, type Network, type PortId } from '../network.ts';
import type { FileReading } from '../read/ledger.ts';
import type { InputFile } from '../read/reader.ts';
import type { ReadLink } from '../readers/links.ts';
import { anything, doubtOf, orAnything } from './doubts.ts';
import { linuxBox } from './linux-box.ts';
import { seflNetwork } from './sefl.ts';
import { neutronOf } from './neutron.ts';
import { type BoxParts, partsOf, type ReadFiles } from './parts.ts';
import { bridgeOf, patches, switchPort } from './openflow.ts';

export interface Assembled {
  readonly network: Network;
  /** Where packets come in from outside, as the boxes say: the natural starts of a question. */
  readonly entries: readonly PortId[];
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
  for (const { path, text } of files) {
    if (text.length > inputLimits.fileBytes) tooLarge(path, `${inputLimits.fileBytes} characters`);
  }
  const whole = seflNetwork(files);
  if (whole !== undefined) return whole;
  const read: ReadFiles = partsOf(files);
  const boxes = new Map<string, Box>();
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  const entries: PortId[] = [];
  const unknown = new Map<string, string>();
  const ends: ClickEnds[] = [];
  const switches = new Map<string, OpenflowModel>();
  for (const [box, parts] of read.boxes) {
    const model = modelOf(box, parts, read.vswitches);
    if (model === undefined) continue;
    boxes.set(box, model.box);
    if (isClick(model)) ends.push(model);
    if (isOpenflow(model)) switches.set(box, model);
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
    entries.push(...tenants.entries);
    if (read.neutron.some(({ reading }) => doubtOf(reading).length > 0)) {
      unknown.set(anything('tenants'), 'what Neutron makes of what was not understood');
    }
  }
  for (const [box, file] of read.unknown) {
    if (!boxes.has(box)) unknown.set(box, `what ${box} does: ${file} is not recognised`);
  }
  const { links, mtus } = linksBetween([...read.links, ...patches(boxes, read.vswitches)], programs, ends, switches);
  for (const [box, { interfaces }] of read.boxes) {
    for (const { name: interface_, mtu } of interfaces) {
      const port = `${box}:${interface_}`;
      if (mtu !== undefined) smallest(mtus, programs.has(`${port}:in`) ? `${port}:out` : port, mtu);
    }
  }
  return {
    network: { name, boxes, programs, links, routines, unknown, ...(mtus.size === 0 ? {} : { mtus }) },
    entries,
    readings: [...[...read.boxes.values()].flatMap(({ readings }) => readings), ...read.readings],
  };
}

type ClickEnds = Pick<ClickModel, 'entries' | 'exits' | 'openOutputs'>;

const isOpenflow = (model: BoxModel): model is OpenflowModel => model.box.kind === 'openflow';
const isClick = (model: BoxModel): model is ClickModel => 'openOutputs' in model;

function modelOf(name: string, parts: BoxParts, vswitches: ReadFiles['vswitches']): BoxModel | undefined {
  if (parts.flows !== undefined) {
    const configured = bridgeOf(name, vswitches)?.ports;
    const ports = parts.switchPorts ?? [];
    return openflowModel(name, { flows: parts.flows, ports, ...(configured === undefined ? {} : { configured }) });
  }
  const [configuration] = parts.click;
  if (configuration !== undefined) return clickModel(name, configuration);
  if (parts.rulesets.length > 0) return netfilterModel(name, linuxBox(parts));
  if (parts.fib !== undefined || parts.fib6 !== undefined) return routerModel(name, parts, parts.ownAddresses);
  return parts.macTable === undefined ? undefined : switchModel(name, parts.macTable);
}

/**
 * The ports of a Linux box have a way in and a way out: `fw:eth0` is `fw:eth0:out` where a link begins. Those of a Click box
 * are elements: `nat:to-core`, or `nat:switch:1` for an output that nothing inside is connected to.
 */
function linksBetween(
  read: readonly ReadLink[],
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
    links.set(begin, [...(links.get(begin) ?? []), end(to)]);
    if (link.mtu !== undefined) smallest(mtus, begin, { bytes: link.mtu, source: link.source });
  }
  return { links, mtus };
}

/** Of what is said of a port, by its box and by its links, the smallest counts. */
function smallest(mtus: Map<PortId, Mtu>, port: PortId, mtu: Mtu): void {
  if (mtu.bytes < (mtus.get(port)?.bytes ?? Infinity)) mtus.set(port, mtu);
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
