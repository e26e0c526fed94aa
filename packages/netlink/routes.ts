import {
  type Attribute,
  bytes,
  decodeAttributes,
  encodeAttributes,
  nested,
  readU32,
  u16,
  u32,
  when,
} from './attributes.ts';
import { formatIp, networkBytes, parseIp, parseIpOf, parsePrefix } from './ip-address.ts';
import { AF_INET, AF_INET6 } from './libc.ts';
import type { NamespaceName } from './namespaces.ts';
import { dump, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type NetlinkMessage, type NetlinkRequest } from './netlink.ts';
import { decodeEncapsulation, type Encapsulation, encodeEncapsulation, showEncapsulation } from './seg6.ts';

/** Routes. Numbers are those of include/uapi/linux/rtnetlink.h. */

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA = {
  dst: 1,
  oif: 4,
  gateway: 5,
  priority: 6,
  prefSrc: 7,
  table: 15,
  via: 18,
  encapType: 21,
  encap: 22,
} as const;
const TYPES = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const;
const RTPROT_STATIC = 4;
const SCOPE = { universe: 0, link: 253, nowhere: 255 } as const;
const RTNH_F_ONLINK = 4;
export const MAIN_TABLE = 254;

export type RouteType = keyof typeof TYPES;

export interface RouteSettings {
  /** `default` needs `family`. */
  readonly destination: string;
  readonly family?: 4 | 6;
  readonly via?: string;
  /** Index of the device. */
  readonly device?: number;
  readonly table?: number;
  readonly metric?: number;
  /** Source address for packets that start here. */
  readonly source?: string;
  /** Believe that `via` is reachable through `device`, whatever the addresses say. */
  readonly onlink?: boolean;
  readonly type?: RouteType;
  readonly encap?: Encapsulation;
}

interface Head {
  readonly family: number;
  readonly length: number;
  readonly table: number;
  readonly scope: number;
  readonly type: number;
  readonly protocol: number;
  readonly flags: number;
}

/** struct rtmsg. Tables above 255 stand in an attribute. */
function head(of: Head): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.set([of.family, of.length, 0, 0, of.table > 255 ? 0 : of.table, of.protocol, of.scope, of.type]);
  buffer.writeUInt32LE(of.flags, 8);
  return buffer;
}

function gateway(family: number, via: string): Attribute {
  const { family: viaFamily, bytes: value } = parseIp(via);
  if (viaFamily === family) return bytes(RTA.gateway, value);
  const buffer = Buffer.alloc(2 + value.length);
  buffer.writeUInt16LE(viaFamily, 0);
  buffer.set(value, 2);
  return bytes(RTA.via, buffer);
}

function familyOf(route: RouteSettings): number {
  if (route.destination !== 'default') return parsePrefix(route.destination).family;
  return route.family === 6 ? AF_INET6 : route.family === 4 ? AF_INET : parseIp(route.via ?? '0.0.0.0').family;
}

function encapsulation(encap: Encapsulation): readonly Attribute[] {
  const { type, value } = encodeEncapsulation(encap);
  return [nested(RTA.encap, value), u16(RTA.encapType, type)];
}

function body(route: RouteSettings, deleting: boolean): Buffer {
  const family = familyOf(route);
  const prefix = route.destination === 'default' ? undefined : parsePrefix(route.destination);
  const type = TYPES[route.type ?? 'unicast'];
  const direct = family === AF_INET && type === TYPES.unicast && route.via === undefined;
  const table = route.table ?? MAIN_TABLE;
  return encodeAttributes(
    [
      ...when(prefix, (to) => bytes(RTA.dst, networkBytes(to))),
      ...when(route.via, (via) => gateway(family, via)),
      ...when(route.device, (index) => u32(RTA.oif, index)),
      ...when(route.metric, (metric) => u32(RTA.priority, metric)),
      ...when(route.source, (source) => bytes(RTA.prefSrc, parseIpOf(family, source))),
      u32(RTA.table, table),
      ...(route.encap === undefined ? [] : encapsulation(route.encap)),
    ],
    head({
      family,
      length: prefix?.length ?? 0,
      table,
      scope: deleting ? SCOPE.nowhere : direct ? SCOPE.link : SCOPE.universe,
      type: deleting && route.type === undefined ? 0 : type,
      protocol: deleting ? 0 : RTPROT_STATIC,
      flags: route.onlink === true ? RTNH_F_ONLINK : 0,
    }),
  );
}

export function showRoute(route: RouteSettings): string {
  const part = (word: string, value: string | number | undefined) => (value === undefined ? '' : ` ${word} ${value}`);
  return [
    route.type === undefined || route.type === 'unicast' ? '' : `${route.type} `,
    route.destination,
    route.encap === undefined ? '' : showEncapsulation(route.encap),
    part('via', route.via),
    part('dev', route.device === undefined ? undefined : `#${route.device}`),
    part('table', route.table),
    part('metric', route.metric),
    part('src', route.source),
    route.onlink === true ? ' onlink' : '',
  ].join('');
}

function request(type: number, flags: number, verb: string, route: RouteSettings): NetlinkRequest {
  return { type, flags, words: `route ${verb} ${showRoute(route)}`, body: () => body(route, type === RTM_DELROUTE) };
}

/** EEXIST when there is a route to the destination in the table. */
export function addRoute(route: RouteSettings): NetlinkRequest {
  return request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, 'add', route);
}

/** Idempotent, and atomic for packets: there is a route at every moment. */
export function replaceRoute(route: RouteSettings): NetlinkRequest {
  return request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, 'replace', route);
}

/** ESRCH when there is none. */
export function deleteRoute(route: RouteSettings): NetlinkRequest {
  return request(RTM_DELROUTE, 0, 'del', route);
}

export interface Route extends RouteSettings {
  readonly family: 4 | 6;
  readonly table: number;
  readonly type: RouteType;
}

export function decodeRoute({ body: message }: NetlinkMessage): Route | undefined {
  const family = message.readUInt8(0);
  const attributes = decodeAttributes(message, 12);
  const type = Object.entries(TYPES).find(([, number]) => number === message.readUInt8(7))?.[0];
  if (type === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined;
  const dst = attributes.get(RTA.dst);
  const via = attributes.get(RTA.gateway) ?? attributes.get(RTA.via)?.subarray(2);
  const device = readU32(attributes.get(RTA.oif));
  const metric = readU32(attributes.get(RTA.priority));
  const source = attributes.get(RTA.prefSrc);
  const encapValue = attributes.get(RTA.encap);
  const encap =
    encapValue === undefined
      ? undefined
      : decodeEncapsulation(attributes.get(RTA.encapType)?.readUInt16LE() ?? 0, encapValue);
  return {
    destination: dst === undefined ? 'default' : `${formatIp(dst)}/${message.readUInt8(1)}`,
    family: family === AF_INET ? 4 : 6,
    ...(via === undefined ? {} : { via: formatIp(via) }),
    ...(device === undefined ? {} : { device }),
    table: readU32(attributes.get(RTA.table)) ?? message.readUInt8(4),
    ...(metric === undefined ? {} : { metric }),
    ...(source === undefined ? {} : { source: formatIp(source) }),
    ...((message.readUInt32LE(8) & RTNH_F_ONLINK) === 0 ? {} : { onlink: true }),
    type: type as RouteType,
    ...(encap === undefined ? {} : { encap }),
  };
}

export interface RouteFilter {
  readonly family: 4 | 6;
  /** Every table when it is not given. */
  readonly table?: number;
}

export function listRoutes(namespace: NamespaceName, filter: RouteFilter): readonly Route[] {
  const family = filter.family === 4 ? AF_INET : AF_INET6;
  const messages = dump(namespace, {
    type: RTM_GETROUTE,
    flags: 0,
    words: `-${filter.family} route show table ${filter.table ?? 'all'}`,
    body: () => head({ family, length: 0, table: 0, scope: 0, type: 0, protocol: 0, flags: 0 }),
  });
  return messages
    .map(decodeRoute)
    .filter((route) => route !== undefined)
    .filter((route) => filter.table === undefined || route.table === filter.table);
}
