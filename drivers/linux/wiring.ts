import { shortName, SuperfluidityError } from '@superfluidity/core';
import type { NetworkSpec } from '@superfluidity/fabric';
import { type PortQuality, qualityOf, type TrafficRule } from '@superfluidity/model';
import {
  addAddress,
  changeLink,
  createNamespace,
  createTap,
  createVeth,
  deleteLink,
  deleteNamespace,
  deleteRoute,
  limitBandwidth,
  linkIndex,
  namespaceExists,
  type NetlinkRequest,
  replaceAddress,
  replaceNeighbour,
  replaceRoute,
  transact,
  transactTolerating,
  writeSysctls,
} from '@superfluidity/netlink';
import {
  applyRuleset,
  LINK_IPV4,
  portMac,
  portSid,
  type Scope,
  slotNamespace,
  UPLINK_INDEX,
} from '@superfluidity/router';
import { guardText, markText, unguardText, unmarkText } from './firewall.ts';
import { hostLinkIndex, type SiteHost } from './topology.ts';

/** A place for one unit: its ports with their addresses, wired and routed, and a namespace unless it is a machine. */
export interface Slot {
  readonly id: string;
  readonly host: string;
  /** Absent for virtual machines, whose ports are TAP devices on the host. */
  readonly namespace?: string;
  readonly forwards: boolean;
  readonly ports: readonly SlotPort[];
}

export interface SlotPort extends PortQuality {
  readonly name: string;
  /** What the interface is called inside the unit. */
  readonly interface: string;
  /** Unique on the host; names the device there: `p256`. */
  readonly number: number;
  readonly network: string;
  readonly address: string;
  readonly gateway: string;
  readonly supernet: string;
  readonly mtu: number;
  readonly mac: string;
  readonly sid: string;
  readonly allow?: readonly TrafficRule[];
}

export interface PortWish extends PortQuality {
  readonly name: string;
  readonly network: NetworkSpec;
  readonly address: string;
  readonly gateway: string;
  readonly mac?: string;
  readonly allow?: readonly TrafficRule[];
}

/** The host's end of every unit's wire: nobody sees two of them. */
const HOST_MAC = '02:53:46:00:00:01';
/** Numbers become the two lower bytes of a link-local address: none of 169.254.0.0/24, nor of 169.254.255.0/24 (RFC 3927). */
const NUMBER_MIN = 256;
const NUMBER_MAX = 65_279;
const GONE = ['ENODEV', 'ESRCH', 'ENOENT', 'EADDRNOTAVAIL'] as const;

const INTERFACE = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$/;

export function portDevice(number: number): string {
  return `p${number}`;
}

/** Next hop on the host that stands for whatever is at the other end of the port's wire. */
function handle(number: number): string {
  return `169.254.${number >> 8}.${number & 255}`;
}

export class PortNumbers {
  readonly #used = new Set<number>();
  #next = NUMBER_MIN;

  claim(number: number): void {
    this.#used.add(number);
    if (number >= this.#next) this.#next = number + 1;
  }

  /** Those longest unused come last, so that a number rests before it means something else. */
  take(host: string): number {
    for (let tried = NUMBER_MIN; tried <= NUMBER_MAX; tried += 1) {
      if (this.#next > NUMBER_MAX) this.#next = NUMBER_MIN;
      const number = this.#next;
      this.#next += 1;
      if (this.#used.has(number)) continue;
      this.#used.add(number);
      return number;
    }
    throw new SuperfluidityError('SF-SITE-NO-CAPACITY', {
      doing: `wire a port on ${host}`,
      reason: `all ${NUMBER_MAX - NUMBER_MIN + 1} port numbers of the host are in use`,
    });
  }

  giveBack(number: number): void {
    this.#used.delete(number);
  }
}

/** Plans a slot: every name, number and address it will have. Nothing is touched. */
export function planSlot(
  scope: Scope,
  host: SiteHost,
  numbers: PortNumbers,
  wish: {
    readonly id: string;
    readonly forwards: boolean;
    readonly machine: boolean;
    readonly ports: readonly PortWish[];
  },
): Slot {
  const ports = wish.ports.map((port, i): SlotPort => {
    const usable = INTERFACE.test(port.name) && port.name !== 'lo';
    return {
      name: port.name,
      interface: usable ? port.name : shortName('e', port.name),
      number: numbers.take(host.name),
      network: port.network.id,
      address: port.address,
      gateway: port.gateway,
      supernet: port.network.supernet,
      mtu: port.network.mtu,
      mac: port.mac ?? portMac(wish.id, i),
      sid: portSid(scope, host.index, wish.id, i),
      ...(port.allow === undefined ? {} : { allow: port.allow }),
      ...qualityOf(port),
    };
  });
  const namespace = wish.machine ? {} : { namespace: slotNamespace(scope, wish.id) };
  return { id: wish.id, host: host.name, ...namespace, forwards: wish.forwards, ports };
}

/** Makes what `planSlot` planned. On failure `unplug` removes what there is of it. */
export async function plug(scope: Scope, host: SiteHost, slot: Slot, signal?: AbortSignal): Promise<void> {
  if (slot.namespace === undefined) plugTaps(host, slot);
  else plugNamespace(host, slot, slot.namespace);
  transact(
    scope.router,
    slot.ports.map((port) =>
      replaceRoute({ destination: `${port.address}/32`, via: LINK_IPV4, device: hostLinkIndex(host), onlink: true }),
    ),
  );
  const guards = slot.ports
    .filter((port) => port.allow !== undefined)
    .map((port) => guardText(portDevice(port.number), port.allow!, slot.forwards, port.address));
  const marks = slot.ports.flatMap(({ number, dscp }) =>
    dscp === undefined ? [] : [markText(portDevice(number), dscp)],
  );
  const rules = [...guards, ...marks].join('');
  if (rules !== '') await applyRuleset(host.namespace, rules, signal);
}

/** What the host has to know of a port whose device has this index. */
function hostSide(port: SlotPort, index: number): readonly NetlinkRequest[] {
  const next = handle(port.number);
  return [
    replaceNeighbour(index, { address: next, mac: port.mac }),
    replaceRoute({ destination: `${port.address}/32`, via: next, device: index, onlink: true, source: port.gateway }),
    // Next hops without a gateway of their own would be looked up by the packet's destination, which a function lacks.
    replaceRoute({ destination: `${next}/32`, via: next, device: index, onlink: true }),
    replaceRoute({
      destination: `${port.sid}/128`,
      device: UPLINK_INDEX,
      encap: { kind: 'seg6local', action: 'End.DX4', via: next },
    }),
    ...(port.bandwidthMbps === undefined ? [] : [limitBandwidth(index, { rateMbps: port.bandwidthMbps })]),
  ];
}

const UNIT_PORT_INDEX = 100;

function plugNamespace(host: SiteHost, slot: Slot, namespace: string): void {
  createNamespace(namespace);
  writeSysctls(namespace, {
    'net.ipv6.conf.default.disable_ipv6': 1,
    ...(slot.forwards
      ? { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.send_redirects': 0, 'net.ipv4.conf.default.send_redirects': 0 }
      : {}),
  });
  transact(
    host.namespace,
    slot.ports.flatMap((port, i) => [
      createVeth(
        { name: portDevice(port.number), index: port.number, mac: HOST_MAC, mtu: port.mtu, up: true },
        { name: port.interface, index: UNIT_PORT_INDEX + i, mac: port.mac, mtu: port.mtu, namespace },
      ),
      ...hostSide(port, port.number),
    ]),
  );
  transact(namespace, [
    changeLink(1, { up: true }),
    ...slot.ports.flatMap((port, i) => {
      const index = UNIT_PORT_INDEX + i;
      // The first port leads everywhere, the others to their own network.
      const destination = i === 0 ? ({ destination: 'default', family: 4 } as const) : { destination: port.supernet };
      return [
        changeLink(index, { up: true }),
        addAddress(index, { address: `${port.address}/32` }),
        replaceNeighbour(index, { address: port.gateway, mac: HOST_MAC }),
        replaceRoute({ ...destination, via: port.gateway, device: index, onlink: true, source: port.address }),
        ...(port.bandwidthMbps === undefined ? [] : [limitBandwidth(index, { rateMbps: port.bandwidthMbps })]),
      ];
    }),
  ]);
}

function plugTaps(host: SiteHost, slot: Slot): void {
  for (const port of slot.ports) {
    const device = portDevice(port.number);
    createTap(host.namespace, device);
    const index = linkIndex(host.namespace, device);
    transact(host.namespace, [changeLink(index, { mac: HOST_MAC, mtu: port.mtu, up: true }), ...hostSide(port, index)]);
  }
}

/** Removes what there is of a slot, whole or not. Processes in it must have ended. */
export async function unplug(scope: Scope, host: SiteHost, slot: Slot): Promise<void> {
  if (slot.namespace !== undefined) deleteNamespace(slot.namespace);
  if (namespaceExists(host.namespace)) {
    // The other end, addresses and IPv4 routes go with the device.
    transactTolerating(
      host.namespace,
      GONE,
      slot.ports.flatMap((port) => [
        deleteLink(portDevice(port.number)),
        deleteRoute({ destination: `${port.sid}/128`, device: UPLINK_INDEX }),
      ]),
    );
    for (const port of slot.ports) {
      // Absent when the failure came before it: nft has no way to say "if it is there".
      const device = portDevice(port.number);
      if (port.allow !== undefined) await applyRuleset(host.namespace, unguardText(device)).catch(() => {});
      if (port.dscp !== undefined) await applyRuleset(host.namespace, unmarkText(device)).catch(() => {});
    }
  }
  if (namespaceExists(scope.router)) {
    transactTolerating(
      scope.router,
      GONE,
      slot.ports.map((port) => deleteRoute({ destination: `${port.address}/32`, device: hostLinkIndex(host) })),
    );
  }
}

/** Service addresses lie on the loopback device, so that they answer whichever port a packet comes in by. */
export function addServiceAddresses(slot: Slot, addresses: readonly string[]): void {
  if (slot.namespace === undefined || addresses.length === 0) return;
  transact(
    slot.namespace,
    addresses.map((address) => replaceAddress(1, { address: `${address}/32` })),
  );
}
