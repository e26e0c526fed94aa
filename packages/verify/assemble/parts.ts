import { append, SuperfluidityError } from '@superfluidity/core';
import { type FileReading, LineLedger } from '../read/ledger.ts';
import { unusable } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import type { CiscoConfig } from '../readers/cisco/config.ts';
import { looksLikeCiscoConfig, readCiscoConfig } from '../readers/cisco/read-config.ts';
import { interfaceKey } from '../readers/cisco/names.ts';
import { readClick } from '../readers/click/click.ts';
import type { ClickConfiguration } from '@superfluidity/click';
import { looksLikeCiscoRoutes, readCiscoRoutes } from '../readers/fib/cisco-routes.ts';
import { type Fib, readFib, recogniseFib } from '../readers/fib/fib.ts';
import { type Fib6, readFib6, recogniseFib6 } from '../readers/fib/fib6.ts';
import { looksLikeInterfaces, readInterfaces } from '../readers/interfaces.ts';
import type { ReadInterface } from '../readers/linux/interface.ts';
import { looksLikeNeighbours, readNeighbours } from '../readers/links-yaml.ts';
import { type LinuxBridge, looksLikeLinuxBridges, readLinuxBridges } from '../readers/linux-bridges.ts';
import { looksLikeLinks, readLinks, type ReadLink } from '../readers/links.ts';
import { looksLikeNeighbourTable, type Neighbour, readNeighbourTable } from '../readers/linux/neighbours.ts';
import { type LinuxRoute, looksLikeLinuxRoutes, readLinuxRoutes } from '../readers/linux/routes.ts';
import { looksLikePolicyRules, type PolicyRule, readPolicyRules } from '../readers/linux/rules.ts';
import { type LinuxSettings, looksLikeSettings, readSettings } from '../readers/linux/settings.ts';
import { looksLikeXfrm, readXfrm, type Xfrm } from '../readers/linux/xfrm.ts';
import {
  looksLikeMacTable,
  looksLikeOwnAddresses,
  type MacTable,
  readMacTable,
  readOwnAddresses,
} from '../readers/mac.ts';
import { looksLikePolicies, looksLikeStarts, readPolicyFile, readStarts, type ReadStart } from '../readers/starts.ts';
import { readIpset } from '../readers/netfilter/ipset.ts';
import { readIptables } from '../readers/netfilter/iptables.ts';
import { readNftJson } from '../readers/netfilter/nft-json.ts';
import { readNftText } from '../readers/netfilter/nft-text.ts';
import type { IpSet, Ruleset } from '../readers/netfilter/ruleset.ts';
import { looksLikeBridgeVlans, readBridgeVlans } from '../readers/vlans/bridge-vlan.ts';
import type { VlanPort } from '../readers/vlans/port.ts';
import { looksLikeSwitchports, readSwitchports } from '../readers/vlans/show-switchport.ts';
import { looksLikeShowVlan, readShowVlan } from '../readers/vlans/show-vlan.ts';
import { type LearnedMac, looksLikeFdb, readFdb } from '../readers/openflow/fdb.ts';
import type { Flow } from '../readers/openflow/flow.ts';
import { type Group, looksLikeGroups, readGroups } from '../readers/openflow/groups.ts';
import { looksLikeFlows, readFlows } from '../readers/openflow/flows.ts';
import { looksLikePorts, readPorts, type ReadPort } from '../readers/openflow/ports.ts';
import { looksLikeVswitch, readVswitch, type Vswitch } from '../readers/openflow/vswitch.ts';
import type { NeutronDeployment } from '../readers/neutron/deployment.ts';
import { looksLikeNeutron, readNeutron } from '../readers/neutron/neutron.ts';

/** What the files of one box say. */
export interface BoxParts {
  flows?: readonly Flow[];
  switchPorts?: readonly ReadPort[];
  groups?: readonly Group[];
  learned?: readonly LearnedMac[];
  neighbours?: readonly Neighbour[];
  bridges?: readonly LinuxBridge[];
  fib?: Fib;
  fib6?: Fib6;
  config?: CiscoConfig;
  readonly rulesets: Ruleset[];
  readonly ipsets: Map<string, IpSet>;
  readonly interfaces: ReadInterface[];
  readonly linux: LinuxParts;
  readonly click: ClickConfiguration[];
  macTable?: MacTable;
  /** In which VLANs the ports of a switch are. */
  readonly vlanPorts: VlanPort[];
  readonly ownAddresses: number[];
  readonly readings: FileReading[];
}

/** What only a Linux box has: its tables of routes, the rules that choose among them, and the like. */
export interface LinuxParts {
  readonly routes: LinuxRoute[];
  readonly policies: PolicyRule[];
  neighbours?: readonly Neighbour[];
  settings?: LinuxSettings;
  xfrm?: Xfrm;
}

export interface ReadFiles {
  readonly boxes: ReadonlyMap<string, BoxParts>;
  readonly links: readonly ReadLink[];
  /** Where packets begin, when a file says so. */
  readonly starts: readonly ReadStart[];
  /** Bridges and ports of nodes, by node. */
  readonly vswitches: ReadonlyMap<string, Vswitch>;
  /** Of the API of a cloud: what the tenants asked for has many boxes. */
  readonly neutron: readonly Reading<NeutronDeployment>[];
  /** Boxes with a file that was not recognised, and the file. */
  readonly unknown: ReadonlyMap<string, string>;
  /** Of files that belong to no box. */
  readonly readings: readonly FileReading[];
}

/** A format: how it is recognised, and what becomes of a file that has it. The first that recognises a file reads it. */
interface Format {
  readonly recognises: (text: string, path: string) => boolean;
  readonly read: (file: InputFile, box: BoxParts) => FileReading;
}

const formats: readonly Format[] = [
  {
    recognises: looksLikeCiscoConfig,
    read(file, box) {
      if (box.config !== undefined) throw second('running configurations', file, box.config.file);
      const { value, reading } = readCiscoConfig(file);
      box.config = value;
      return reading;
    },
  },
  { recognises: looksLikeBridgeVlans, read: (file, box) => ports(readBridgeVlans(file), box) },
  { recognises: looksLikeShowVlan, read: (file, box) => ports(readShowVlan(file), box) },
  { recognises: looksLikeSwitchports, read: (file, box) => ports(readSwitchports(file), box) },
  {
    recognises: looksLikeGroups,
    read(file, box) {
      const { value, reading } = readGroups(file);
      box.groups = [...(box.groups ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: looksLikeFlows,
    read(file, box) {
      const { value, reading } = readFlows(file);
      box.flows = [...(box.flows ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: looksLikePorts,
    read(file, box) {
      const { value, reading } = readPorts(file);
      box.switchPorts = [...(box.switchPorts ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: looksLikeLinuxBridges,
    read(file, box) {
      const { value, reading } = readLinuxBridges(file);
      box.bridges = [...(box.bridges ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: looksLikeFdb,
    read(file, box) {
      const { value, reading } = readFdb(file);
      box.learned = [...(box.learned ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: (text, path) =>
      path.endsWith('.click') || /^[ \t]*[\w@/]+\s*::\s*[A-Z]\w*\s*(?:\(|;|->|$)/m.test(text.slice(0, 4_096)),
    read(file, box) {
      const { value, reading } = readClick(file);
      box.click.push(value);
      return reading;
    },
  },
  {
    recognises: (text) => /^\s*\{\s*"nftables"\s*:/.test(text.slice(0, 4_096)),
    read: (file, box) => rules(readNftJson(file), box),
  },
  {
    recognises: (text) => /^\*(?:filter|nat|mangle|raw|security)\s*$|^-[PA] [A-Z]/m.test(text.slice(0, 4_096)),
    read: (file, box) => rules(readIptables(file), box),
  },
  {
    recognises: (text) => /^[ \t]*table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{/m.test(text.slice(0, 4_096)),
    read: (file, box) => rules(readNftText(file), box),
  },
  {
    recognises: (text) => /^(?:create|add) \S+ (?:hash|bitmap|list):/m.test(text.slice(0, 4_096)),
    read(file, box) {
      const { value, reading } = readIpset(file);
      for (const [name, set] of value) box.ipsets.set(name, set);
      return reading;
    },
  },
  {
    recognises: looksLikeNeighbourTable,
    read(file, box) {
      const { value, reading } = readNeighbourTable(file);
      box.linux.neighbours = [...(box.linux.neighbours ?? []), ...value];
      return reading;
    },
  },
  {
    recognises: looksLikeLinuxRoutes,
    read(file, box) {
      const { value, reading } = readLinuxRoutes(file);
      const same = box.linux.routes.find((known) =>
        value.some(({ family, table }) => known.family === family && known.table === table),
      );
      if (same !== undefined) throw second('routing tables', file, same.source.file);
      append(box.linux.routes, value);
      return reading;
    },
  },
  {
    recognises: looksLikePolicyRules,
    read(file, box) {
      const { value, reading } = readPolicyRules(file);
      append(box.linux.policies, value);
      return reading;
    },
  },
  {
    recognises: looksLikeXfrm,
    read(file, box) {
      const { value, reading } = readXfrm(file);
      const { policies, states } = box.linux.xfrm ?? { policies: [], states: [] };
      box.linux.xfrm = { policies: [...policies, ...value.policies], states: [...states, ...value.states] };
      return reading;
    },
  },
  {
    recognises: looksLikeSettings,
    read(file, box) {
      const { value, reading } = readSettings(file);
      box.linux.settings = value;
      return reading;
    },
  },
  {
    recognises: looksLikeInterfaces,
    read(file, box) {
      const { value, reading } = readInterfaces(file);
      append(box.interfaces, value);
      return reading;
    },
  },
  {
    recognises: looksLikeOwnAddresses,
    read(file, box) {
      const { value, reading } = readOwnAddresses(file);
      append(box.ownAddresses, value);
      return reading;
    },
  },
  {
    recognises: looksLikeMacTable,
    read(file, box) {
      const { value, reading } = readMacTable(file);
      if (box.macTable !== undefined) throw second('MAC tables', file, box.macTable.file);
      box.macTable = value;
      return reading;
    },
  },
  {
    recognises: looksLikeCiscoRoutes,
    read(file, box) {
      if (box.fib !== undefined) throw second('routing tables', file, box.fib.file);
      const { value, reading } = readCiscoRoutes(file);
      box.fib = value;
      return reading;
    },
  },
  {
    recognises: (text) => recogniseFib6(text) !== undefined,
    read(file, box) {
      if (box.fib6 !== undefined) throw second('routing tables', file, box.fib6.file);
      const { value, reading } = readFib6(file, recogniseFib6(file.text)!);
      box.fib6 = value;
      return reading;
    },
  },
  {
    recognises: (text) => recogniseFib(text) !== undefined,
    read(file, box) {
      if (box.fib !== undefined) throw second('routing tables', file, box.fib.file);
      const { value, reading } = readFib(file, recogniseFib(file.text)!);
      box.fib = value;
      return reading;
    },
  },
];

function second(what: string, { path }: InputFile, other: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', {
    doing: `read ${path}`,
    reason: `there are two ${what} for the box ${boxName(path)}: the other is ${other}`,
    data: { file: path },
  });
}

function rules({ value, reading }: Reading<Ruleset>, box: BoxParts): FileReading {
  box.rulesets.push(value);
  return reading;
}

function ports({ value, reading }: Reading<readonly VlanPort[]>, box: BoxParts): FileReading {
  for (const port of value) {
    const other = box.vlanPorts.find(({ name }) => interfaceKey(name) === interfaceKey(port.name));
    if (other === undefined) box.vlanPorts.push(port);
    else if (!isAlike(port, other)) {
      const at = `${other.source.file}:${other.source.line}`;
      throw unusable(port.source.file, port.source.line, `${port.name} is in other VLANs here than in ${at}`);
    }
  }
  return reading;
}

const isAlike = (a: VlanPort, b: VlanPort): boolean =>
  a.pvid === b.pvid && isSame(a.untagged, b.untagged) && isSame(a.tagged, b.tagged);

const isSame = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((vlan) => b.has(vlan));

export function partsOf(files: readonly InputFile[]): ReadFiles {
  const boxes = new Map<string, BoxParts>();
  const links: ReadLink[] = [];
  const starts: ReadStart[] = [];
  const vswitches = new Map<string, Vswitch>();
  const neutron: Reading<NeutronDeployment>[] = [];
  const readings: FileReading[] = [];
  const unknown = new Map<string, string>();
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    if (looksLikeLinks(file.text)) {
      const { value, reading } = readLinks(file);
      append(links, value);
      readings.push(reading);
      continue;
    }
    if (looksLikeNeighbours(file.text, file.path)) {
      const { value, reading } = readNeighbours(file);
      append(links, value);
      readings.push(reading);
      continue;
    }
    if (looksLikeStarts(file.text, file.path)) {
      const { value, reading } = readStarts(file);
      append(starts, value);
      readings.push(reading);
      continue;
    }
    if (looksLikePolicies(file.text, file.path)) {
      readings.push(readPolicyFile(file));
      continue;
    }
    if (looksLikeVswitch(file.text)) {
      const { value, reading } = readVswitch(file);
      vswitches.set(boxName(file.path), value);
      readings.push(reading);
      continue;
    }
    if (looksLikeNeutron(file.text)) {
      const dump = readNeutron(file);
      neutron.push(dump);
      readings.push(dump.reading);
      continue;
    }
    const format = formats.find(({ recognises }) => recognises(file.text, file.path));
    if (format === undefined) {
      unknown.set(boxName(file.path), file.path);
      readings.push(unrecognised(file));
      continue;
    }
    const name = boxName(file.path);
    const box: BoxParts = boxes.get(name) ?? {
      rulesets: [],
      ipsets: new Map(),
      interfaces: [],
      linux: { routes: [], policies: [] },
      click: [],
      vlanPorts: [],
      ownAddresses: [],
      readings: [],
    };
    boxes.set(name, box);
    box.readings.push(format.read(file, box));
  }
  return { boxes, links, starts, vswitches, neutron, unknown, readings };
}

/**
 * `net/fw.rules.v4` is of the box `fw`, as are `flows-br-int.txt` and `ports-br-int.txt` of the box `br-int`, and
 * `edge_config.txt` and `edge_route.txt` of the box `edge`.
 */
function boxName(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/^(?:flows|groups|ports|fdb|ovs)-(?=[^.])/, '');
  const dot = base.indexOf('.');
  const name = dot > 0 ? base.slice(0, dot) : base;
  return name.replace(/(?<=.)[_-](?:config|routes?|cef|mac|vlan|switchport)$/, '');
}

function unrecognised(file: InputFile): FileReading {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'not recognised', lines.length);
  lines.forEach((line, i) => {
    if (line.trim() !== '') ledger.notUnderstood(i + 1, 'the format of the file is not recognised');
  });
  const reading = ledger.reading();
  return { ...reading, remarks: reading.remarks.slice(0, 1) };
}
