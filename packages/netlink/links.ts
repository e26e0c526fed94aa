import { SuperfluidityError } from '@superfluidity/core';
import {
  type Attribute,
  be16,
  bytes,
  decodeAttributes,
  encodeAttributes,
  nested,
  readText,
  readU32,
  text,
  u16,
  u32,
  u8,
  when,
} from './attributes.ts';
import { formatMac, parseIp, parseMac } from './ip-address.ts';
import { AF_INET } from './libc.ts';
import { type NamespaceName, namespaceFd } from './namespaces.ts';
import { dump, NLM_F_CREATE, NLM_F_EXCL, type NetlinkMessage, type NetlinkRequest, transact } from './netlink.ts';

/** Network devices. Numbers are those of include/uapi/linux/if_link.h. */

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;

// biome-ignore format: a table
const IFLA = {
  address: 1, name: 3, mtu: 4, link: 5, master: 10, protocolInfo: 12, operState: 16, linkInfo: 18, alias: 20, stats64: 23,
  netNsFd: 28, extMask: 29,
} as const;
const INFO_KIND = 1;
const INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const BRIDGE = { forwardDelay: 1, stp: 5, vlanFiltering: 7, multicastSnooping: 23 } as const;
const VXLAN = { id: 1, group: 2, link: 3, local: 4, ttl: 5, learning: 7, port: 15, group6: 16, local6: 17 } as const;
const VLAN_ID = 1;
const MACVLAN_MODE = 1;
const MACVLAN_MODE_BRIDGE = 4;
const MACVLAN_MODE_PASSTHRU = 8;
const MACVLAN_FLAGS = 2;
const MACVLAN_FLAG_NOPROMISC = 1;
const BRIDGE_PORT_STATE = 1;
const BRIDGE_PORT_HAIRPIN = 4;
const BRIDGE_STATE_FORWARDING = 3;
const NLA_F_NESTED = 0x8000;
const AF_BRIDGE = 7;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFF_UP = 1;
const IFF_NOARP = 0x80;
const IFF_PROMISC = 0x100;
const IFF_LOWER_UP = 0x10000;

/** A device by its index, or by its name where the kernel allows it. */
export type Device = number | string;

const INTERFACE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,14}$/;

export function checkInterfaceName(name: string): string {
  if (INTERFACE_NAME.test(name)) return name;
  throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
    doing: `use network device ${JSON.stringify(name)}`,
    reason: 'not a usable name for a network device',
  });
}

/** struct ifinfomsg */
function head(index: number, flags = 0, change = 0): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.writeInt32LE(index, 4);
  buffer.writeUInt32LE(flags, 8);
  buffer.writeUInt32LE(change, 12);
  return buffer;
}

export interface LinkSettings {
  readonly name: string;
  /** Choosing the index (unused in its namespace, from 2) allows addresses and routes in the same batch. */
  readonly index?: number;
  readonly mac?: string;
  readonly mtu?: number;
  readonly up?: boolean;
  /** Index of the bridge it becomes a port of. */
  readonly master?: number;
  /** The namespace in which it is to appear when that is not the one of the request. */
  readonly namespace?: string;
}

function settings(link: LinkSettings): readonly Attribute[] {
  return [
    text(IFLA.name, checkInterfaceName(link.name)),
    ...when(link.mac, (mac) => bytes(IFLA.address, parseMac(mac))),
    ...when(link.mtu, (mtu) => u32(IFLA.mtu, mtu)),
    ...when(link.master, (master) => u32(IFLA.master, master)),
    ...when(link.namespace, (name) => u32(IFLA.netNsFd, namespaceFd(name))),
  ];
}

function linkHead(link: LinkSettings): Buffer {
  return head(link.index ?? 0, link.up === true ? IFF_UP : 0, link.up === true ? IFF_UP : 0);
}

function create(
  link: LinkSettings,
  kind: string,
  words: string,
  data: () => readonly Attribute[],
  parent?: number,
): NetlinkRequest {
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    words: `link add ${link.name} type ${kind}${words}`,
    body: () =>
      encodeAttributes(
        [
          ...settings(link),
          ...when(parent, (index) => u32(IFLA.link, index)),
          nested(IFLA.linkInfo, [text(INFO_KIND, kind), nested(INFO_DATA, data())]),
        ],
        linkHead(link),
      ),
  };
}

/**
 * A pair of devices joined by a wire; the peer can be made in another namespace. The kernel makes the peer first and
 * alone, so it can neither have a master nor be up yet: bring it up with `changeLink`.
 *
 * A bridge forwards to a new port only when a worker of the kernel has noticed its carrier, some milliseconds later. An
 * ARP request lost in between is repeated after a second: tell both ends their neighbours with `replaceNeighbour`.
 */
export function createVeth(link: LinkSettings, peer: Omit<LinkSettings, 'master' | 'up'>): NetlinkRequest {
  const where = peer.namespace === undefined ? '' : ` netns ${peer.namespace}`;
  return create(link, 'veth', ` peer ${peer.name}${where}`, () => [
    bytes(VETH_INFO_PEER, encodeAttributes(settings(peer), head(peer.index ?? 0))),
  ]);
}

/** Spanning tree off: ports forward at once. */
export function createBridge(link: LinkSettings): NetlinkRequest {
  return create(link, 'bridge', '', () => [
    u32(BRIDGE.forwardDelay, 0),
    u32(BRIDGE.stp, 0),
    u8(BRIDGE.multicastSnooping, 0),
  ]);
}

/**
 * A VLAN (802.1Q) of the parent, which is a device of the namespace of the request; it may appear in another. EOPNOTSUPP
 * where the kernel has none, EEXIST where the parent has that VLAN already.
 */
export function createVlan(parent: number, id: number, link: Omit<LinkSettings, 'master'>): NetlinkRequest {
  return create(link, 'vlan', ` link #${parent} id ${id}`, () => [u16(VLAN_ID, id)], parent);
}

/** One more Ethernet address of the parent, in bridge mode: those of one parent reach each other. */
export function createMacvlan(parent: number, link: Omit<LinkSettings, 'master'>): NetlinkRequest {
  const mode = [u32(MACVLAN_MODE, MACVLAN_MODE_BRIDGE)];
  return create(link, 'macvlan', ` link #${parent} mode bridge`, () => mode, parent);
}

/**
 * The parent itself, seen from another namespace: what arrives at it arrives here, and it has one such device at most. So a device
 * gets into a namespace without being moved there. For parents that take all packets anyway, as ends of pairs do.
 */
export function createPassthrough(parent: number, link: Omit<LinkSettings, 'master'>): NetlinkRequest {
  const data = [u32(MACVLAN_MODE, MACVLAN_MODE_PASSTHRU), u16(MACVLAN_FLAGS, MACVLAN_FLAG_NOPROMISC)];
  return create(link, 'macvlan', ` link #${parent} mode passthru nopromisc`, () => data, parent);
}

/**
 * A port of a bridge forwards from now on, and not only when a worker of the kernel has noticed its carrier. ENETDOWN where it
 * has none, EBUSY where the bridge runs a spanning tree, which decides itself.
 */
export function forwardNow(port: number): NetlinkRequest {
  return bridgePort(port, 'state forwarding', [BRIDGE_PORT_STATE, BRIDGE_STATE_FORWARDING]);
}

/** A port of a bridge gets back what it sent, where its destination lies behind that same port. */
export function hairpin(port: number): NetlinkRequest {
  return bridgePort(port, 'hairpin on', [BRIDGE_PORT_HAIRPIN, 1]);
}

function bridgePort(port: number, words: string, [attribute, value]: readonly [number, number]): NetlinkRequest {
  return {
    type: RTM_SETLINK,
    flags: 0,
    words: `bridge link set #${port} ${words}`,
    body: () => {
      const family = head(port);
      family.writeUInt8(AF_BRIDGE, 0);
      return encodeAttributes([nested(IFLA.protocolInfo | NLA_F_NESTED, [u8(attribute, value)])], family);
    },
  };
}

export interface VxlanSettings extends LinkSettings {
  /** VXLAN network identifier, 24 bits (RFC 7348). */
  readonly id: number;
  readonly local: string;
  /** The other end; without it, ends are learnt from `addForwarding` entries only. */
  readonly remote?: string;
  /** UDP destination port. */
  readonly port?: number;
  /** Index of the device that carries it. */
  readonly underlay?: number;
  readonly learning?: boolean;
}

export function createVxlan(link: VxlanSettings): NetlinkRequest {
  return create(link, 'vxlan', ` id ${link.id} local ${link.local} remote ${link.remote ?? '-'}`, () => {
    const end = (address: string, v4: number, v6: number) => {
      const { family, bytes: value } = parseIp(address);
      return bytes(family === AF_INET ? v4 : v6, value);
    };
    return [
      u32(VXLAN.id, link.id),
      end(link.local, VXLAN.local, VXLAN.local6),
      ...when(link.remote, (remote) => end(remote, VXLAN.group, VXLAN.group6)),
      ...when(link.underlay, (index) => u32(VXLAN.link, index)),
      u8(VXLAN.learning, link.learning === false ? 0 : 1),
      be16(VXLAN.port, link.port ?? 4789),
    ];
  });
}

function named(device: Device): { readonly index: number; readonly name: readonly Attribute[] } {
  return typeof device === 'number'
    ? { index: device, name: [] }
    : { index: 0, name: [text(IFLA.name, checkInterfaceName(device))] };
}

export interface LinkChange {
  readonly up?: boolean;
  readonly mac?: string;
  readonly mtu?: number;
  /** 0 takes it out of its bridge. */
  readonly master?: number;
  /** The device has to be given by index. */
  readonly rename?: string;
  readonly namespace?: string;
  readonly promiscuous?: boolean;
  /** Whether the namespace answers and asks for Ethernet addresses there. */
  readonly arp?: boolean;
  /** Words for people, up to 255 bytes. */
  readonly alias?: string;
}

/** Several changes of one device in one request; the move to another namespace comes first. */
export function changeLink(device: Device, change: LinkChange): NetlinkRequest {
  const words = Object.entries(change).map(([key, value]) => ` ${key} ${String(value)}`);
  return {
    type: RTM_SETLINK,
    flags: 0,
    words: `link set ${device}${words.join('')}`,
    body: () => {
      const { index, name } = named(device);
      const { up, promiscuous, arp } = change;
      const mask = [
        up === undefined ? 0 : IFF_UP,
        promiscuous === undefined ? 0 : IFF_PROMISC,
        arp === undefined ? 0 : IFF_NOARP,
      ];
      const set = [up === true ? IFF_UP : 0, promiscuous === true ? IFF_PROMISC : 0, arp === false ? IFF_NOARP : 0];
      const union = (all: readonly number[]) => all.reduce((sum, one) => sum | one, 0);
      return encodeAttributes(
        [
          ...name,
          ...when(change.rename, (to) => text(IFLA.name, checkInterfaceName(to))),
          ...when(change.mac, (mac) => bytes(IFLA.address, parseMac(mac))),
          ...when(change.mtu, (mtu) => u32(IFLA.mtu, mtu)),
          ...when(change.alias, (alias) => bytes(IFLA.alias, Buffer.from(alias))),
          ...when(change.master, (master) => u32(IFLA.master, master)),
          ...when(change.namespace, (to) => u32(IFLA.netNsFd, namespaceFd(to))),
        ],
        head(index, union(set), union(mask)),
      );
    },
  };
}

export function deleteLink(device: Device): NetlinkRequest {
  return {
    type: RTM_DELLINK,
    flags: 0,
    words: `link del ${device}`,
    body: () => {
      const { index, name } = named(device);
      return encodeAttributes(name, head(index));
    },
  };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `vxlan`, `tun`; absent for physical devices and loopback. */
  readonly kind?: string;
  readonly mac?: string;
  readonly mtu: number;
  /** Administratively up. */
  readonly up: boolean;
  /** Has a carrier. */
  readonly running: boolean;
  readonly master?: number;
  /** Index of what it lies on, or of its other end, which may be in another namespace. */
  readonly parent?: number;
  readonly alias?: string;
  readonly traffic?: {
    readonly rxPackets: number;
    readonly txPackets: number;
    readonly rxBytes: number;
    readonly txBytes: number;
    readonly rxDropped: number;
    readonly txDropped: number;
  };
}

export function decodeLink(message: NetlinkMessage): Link {
  const flags = message.body.readUInt32LE(8);
  const attributes = decodeAttributes(message.body, 16);
  const info = attributes.get(IFLA.linkInfo);
  const kind = info === undefined ? undefined : readText(decodeAttributes(info).get(INFO_KIND));
  const mac = attributes.get(IFLA.address);
  const master = readU32(attributes.get(IFLA.master));
  const parent = readU32(attributes.get(IFLA.link));
  const alias = readText(attributes.get(IFLA.alias));
  const stats = attributes.get(IFLA.stats64);
  const counter = (at: number) => Number(stats!.readBigUInt64LE(at * 8));
  return {
    index: message.body.readInt32LE(4),
    name: readText(attributes.get(IFLA.name)) ?? '',
    ...(kind === undefined ? {} : { kind }),
    ...(mac === undefined || mac.length !== 6 ? {} : { mac: formatMac(mac) }),
    mtu: readU32(attributes.get(IFLA.mtu)) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_LOWER_UP) !== 0,
    ...(master === undefined ? {} : { master }),
    ...(parent === undefined ? {} : { parent }),
    ...(alias === undefined ? {} : { alias }),
    ...(stats === undefined
      ? {}
      : {
          traffic: {
            rxPackets: counter(0),
            txPackets: counter(1),
            rxBytes: counter(2),
            txBytes: counter(3),
            rxDropped: counter(6),
            txDropped: counter(7),
          },
        }),
  };
}

/** Counters cost the kernel most of the work of a listing: only when asked for. */
export function listLinks(namespace: NamespaceName, options: { readonly traffic?: boolean } = {}): readonly Link[] {
  const filter = options.traffic === true ? [] : [u32(IFLA.extMask, RTEXT_FILTER_SKIP_STATS)];
  const request = { type: RTM_GETLINK, flags: 0, words: 'link show', body: () => encodeAttributes(filter, head(0)) };
  return dump(namespace, request).map(decodeLink);
}

/** Fails with ENODEV when there is no such device. */
export function getLink(namespace: NamespaceName, device: Device): Link {
  const replies = transact(namespace, [
    {
      type: RTM_GETLINK,
      flags: 0,
      words: `link show ${device}`,
      body: () => {
        const { index, name } = named(device);
        return encodeAttributes(name, head(index));
      },
    },
  ]);
  return decodeLink(replies[0]!);
}

export function linkIndex(namespace: NamespaceName, name: string): number {
  return getLink(namespace, name).index;
}
