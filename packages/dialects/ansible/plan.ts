import { sha256 } from '@superfluidity/core';
import {
  formatIpv4,
  isHostAddress,
  lastAddress,
  nthAddress,
  parseIpv4,
  parseIpv4Prefix,
  prefixSize,
  unitsOf,
  type Block,
  type Ipv4,
  type Network,
  type Port,
  type Requirements,
  type Service,
} from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { Names } from '../names.ts';

/** Names, numbers and addresses of everything that a tree of playbooks makes on its hosts. */
export interface Plan {
  readonly networks: readonly PlannedNetwork[];
  /** In an order in which they can be started. */
  readonly units: readonly PlannedUnit[];
  readonly groups: readonly Group[];
}

/** Hosts of one site: a group of the inventory. */
export interface Group {
  readonly name: string;
  /** Site or tier that the descriptor asks for. */
  readonly of?: { readonly kind: 'site' | 'tier'; readonly name: string };
}

/** A bridge on every host; the bridges of several hosts are joined by VXLAN. */
export interface PlannedNetwork {
  readonly network: Network;
  readonly bridge: string;
  readonly vxlan: string;
  readonly vni: number;
  /** Every host has it on its bridge. */
  readonly gateway: string;
  readonly length: number;
  readonly mtu: number;
}

export interface PlannedPort {
  readonly port: Port;
  readonly network: PlannedNetwork;
  /** Name of the device on the host, less `-` and the number of the instance. */
  readonly device: string;
  /** Of the instance 0; the others follow it. */
  readonly first: Ipv4;
}

export interface PlannedUnit {
  readonly path: string;
  /** `functions[0].units[1]` */
  readonly at: string;
  readonly role: string;
  readonly group: string;
  readonly fn: Block;
  readonly unit: Block;
  readonly requirements: Requirements;
  readonly scale: { readonly initial: number; readonly min: number; readonly max: number };
  readonly ports: readonly PlannedPort[];
}

/** 1500 less the outer headers of VXLAN over IPv4 (RFC 7348, clause 5). */
const VXLAN_MTU = 1450;
/** What fits behind `v` and eight digits into the name of a device. */
const INSTANCES_MAX = 99_999;

export function planTree(
  service: Service,
  supported: (unit: Block, at: string, path: string) => boolean,
  lose: Lose,
): Plan {
  const places = new Places();
  const networks = plannedNetworks(service, lose);
  const addresses = new Map(networks.map((one) => [one.network.name, new Addresses(one, service)]));
  const names = new Names();
  names.label(NETWORK_ROLE);
  const all = unitsOf(service);
  const units = service.block.children.flatMap((fn, i) =>
    fn.children.flatMap((unit, j): readonly PlannedUnit[] => {
      const at = `functions[${i}].units[${j}]`;
      const path = `${fn.name}/${unit.name}`;
      if (!supported(unit, at, path)) return [];
      const { requirements } = all.find((one) => one.path === path)!;
      const role = names.fresh(fn.name === unit.name ? fn.name : `${fn.name}-${unit.name}`);
      const { initial, min, max } = unit.scale ?? { initial: 1, min: 1, max: 1 };
      const asked = Math.min(max, INSTANCES_MAX);
      const connected = unit.ports.filter(({ network }) => addresses.has(network ?? ''));
      const room = connected.map((port) => addresses.get(port.network!)!.room(port, asked));
      const most = Math.min(asked, ...room);
      if (most < max)
        lose(`${at}.scale`, `more than ${most} instances of unit '${path}': there are no addresses for them`);
      if (most === 0) return [];
      const ports = connected.map((port): PlannedPort => {
        const from = addresses.get(port.network!)!;
        const device = `v${digest(service.block.name, path, port.name).slice(0, 8)}`;
        return { port, network: from.network, device, first: from.take(port, most) };
      });
      const scale = { initial: Math.min(initial, most), min: Math.min(min, most), max: most };
      return [{ path, at, role, group: places.of(requirements, at, lose), fn, unit, requirements, scale, ports }];
    }),
  );
  return { networks, units: inOrder(units), groups: places.groups };
}

export const NETWORK_ROLE = 'network';

/** Hexadecimal, the same for the same names. */
export function digest(...names: readonly string[]): string {
  return sha256(names.join('\n'));
}

function plannedNetworks(service: Service, lose: Lose): readonly PlannedNetwork[] {
  return service.networks.flatMap((network, i): readonly PlannedNetwork[] => {
    const prefix = parseIpv4Prefix(network.prefix)!;
    const taken = fixedAddresses(network.name, service);
    // Some hosts' own: at the beginning, and where a unit has that address, after it.
    for (let n = 1; n < Math.min(prefixSize(prefix.length), taken.size + 2); n += 1) {
      const gateway = nthAddress(prefix, n);
      if (prefix.length > 30 || !isHostAddress(prefix, gateway) || taken.has(gateway)) continue;
      const hash = digest(service.block.name, network.name);
      return [
        {
          network,
          bridge: `b${hash.slice(0, 8)}`,
          vxlan: `x${hash.slice(0, 8)}`,
          // 24 bits, of which 0 is none (RFC 7348, clause 5).
          vni: Number.parseInt(hash.slice(8, 14), 16) || 1,
          gateway: formatIpv4(gateway),
          length: prefix.length,
          mtu: network.mtu ?? VXLAN_MTU,
        },
      ];
    }
    lose(`networks[${i}]`, `network '${network.name}': its prefix leaves no address for the hosts`);
    return [];
  });
}

function fixedAddresses(network: string, service: Service): ReadonlySet<Ipv4> {
  const ports = unitsOf(service).flatMap(({ unit }) => unit.ports);
  const own = ports.filter((port) => port.network === network && port.address !== undefined);
  return new Set(own.map(({ address }) => parseIpv4(address!)!));
}

/** Gives each port as many addresses in a row as there can be instances. */
class Addresses {
  readonly network: PlannedNetwork;
  readonly #fixed: ReadonlySet<Ipv4>;
  readonly #last: Ipv4;
  #next: Ipv4;

  constructor(network: PlannedNetwork, service: Service) {
    const prefix = parseIpv4Prefix(network.network.prefix)!;
    this.network = network;
    this.#fixed = new Set([...fixedAddresses(network.network.name, service), parseIpv4(network.gateway)!]);
    this.#next = prefix.base + 1;
    this.#last = lastAddress(prefix) - 1;
  }

  /** How many of that many instances can have one. */
  room(port: Port, wanted: number): number {
    if (port.address !== undefined) return Math.min(wanted, 1);
    for (let count = wanted; count > 0; count = Math.floor(count / 2)) {
      if (this.#row(count) !== undefined) return count;
    }
    return 0;
  }

  take(port: Port, count: number): Ipv4 {
    if (port.address !== undefined) return parseIpv4(port.address)!;
    const first = this.#row(count)!;
    this.#next = first + count;
    return first;
  }

  #row(count: number): Ipv4 | undefined {
    let first = this.#next;
    const fixed = [...this.#fixed].filter((address) => address >= first).toSorted((a, b) => a - b);
    for (const address of fixed) if (address < first + count) first = Math.max(first, address + 1);
    return first + count - 1 <= this.#last ? first : undefined;
  }
}

class Places {
  readonly groups: Group[] = [];
  readonly #names = new Names();

  of({ location = {} }: Requirements, at: string, lose: Lose): string {
    const { sites = [], cells = [], tier } = location;
    const path = `${at}.requirements.location`;
    if (cells.length > 0) lose(path, 'which radio cells are served');
    if (sites.length > 1) lose(path, `that it may run at any of ${sites.length} sites: the first is taken`);
    const [site] = sites;
    const of =
      site !== undefined
        ? ({ kind: 'site', name: site } as const)
        : tier !== undefined
          ? ({ kind: 'tier', name: tier } as const)
          : undefined;
    // Variables and groups of Ansible have names like those of Python.
    const label = this.#names.label(of === undefined ? 'anywhere' : `${of.kind} ${of.name}`);
    const name = label.replaceAll('-', '_');
    if (!this.groups.some((group) => group.name === name))
      this.groups.push({ name, ...(of === undefined ? {} : { of }) });
    return name;
  }
}

/** Those first that others wait for. The model has been checked: nobody waits in a circle. */
function inOrder(units: readonly PlannedUnit[]): readonly PlannedUnit[] {
  const byPath = new Map(units.map((unit) => [unit.path, unit]));
  const ordered = new Set<PlannedUnit>();
  for (const unit of units) {
    const stack = [{ unit, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const after = top.unit.requirements.after?.[top.next];
      top.next += 1;
      if (after === undefined) {
        ordered.add(top.unit);
        stack.pop();
        continue;
      }
      const before = byPath.get(after);
      if (before !== undefined && !ordered.has(before)) stack.push({ unit: before, next: 0 });
    }
  }
  return [...ordered];
}
