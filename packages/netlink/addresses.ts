import { bytes, decodeAttributes, encodeAttributes, u32, when } from './attributes.ts';
import { formatIp, type Prefix, parseIpOf, parsePrefix } from './ip-address.ts';
import { AF_INET } from './libc.ts';
import type { NamespaceName } from './namespaces.ts';
import { dump, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type NetlinkRequest } from './netlink.ts';

/** Addresses of devices. Numbers are those of include/uapi/linux/if_addr.h. */

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x2;
const IFA_F_NOPREFIXROUTE = 0x200;

export interface AddressSettings {
  /** `10.0.0.1/24`, `2001:db8::1/64`. */
  readonly address: string;
  /** The far end of a point-to-point link. */
  readonly peer?: string;
  /** Leaves the subnet out of the routing table. */
  readonly noPrefixRoute?: boolean;
}

/** struct ifaddrmsg */
function head(index: number, prefix?: Prefix): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeUInt8(prefix?.family ?? 0, 0);
  buffer.writeUInt8(prefix?.length ?? 0, 1);
  buffer.writeUInt32LE(index, 4);
  return buffer;
}

function request(type: number, flags: number, verb: string, index: number, of: AddressSettings): NetlinkRequest {
  return {
    type,
    flags,
    words: `addr ${verb} ${of.address} dev #${index}`,
    body: () => {
      const prefix = parsePrefix(of.address);
      // Duplicate address detection (RFC 4862) would keep an address unusable for a second; ids make ours unique.
      const addressFlags = IFA_F_NODAD | (of.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0);
      const far = of.peer === undefined ? prefix.bytes : parseIpOf(prefix.family, of.peer);
      const needsLocal = prefix.family === AF_INET || of.peer !== undefined;
      return encodeAttributes(
        [
          ...when(needsLocal ? prefix.bytes : undefined, (local) => bytes(IFA_LOCAL, local)),
          bytes(IFA_ADDRESS, far),
          ...(type === RTM_NEWADDR ? [u32(IFA_FLAGS, addressFlags)] : []),
        ],
        head(index, prefix),
      );
    },
  };
}

/** EEXIST when the device has it. */
export function addAddress(index: number, address: AddressSettings): NetlinkRequest {
  return request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, 'add', index, address);
}

/** Idempotent. */
export function replaceAddress(index: number, address: AddressSettings): NetlinkRequest {
  return request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, 'replace', index, address);
}

export function deleteAddress(index: number, address: AddressSettings): NetlinkRequest {
  return request(RTM_DELADDR, 0, 'del', index, address);
}

export interface Address {
  readonly index: number;
  /** With prefix length. */
  readonly address: string;
  readonly peer?: string;
  readonly scope: number;
}

export function listAddresses(namespace: NamespaceName, index = 0): readonly Address[] {
  const messages = dump(namespace, {
    type: RTM_GETADDR,
    flags: 0,
    words: 'addr show',
    body: () => head(index),
  });
  return messages.flatMap(({ body }) => {
    const attributes = decodeAttributes(body, 8);
    const far = attributes.get(IFA_ADDRESS);
    const local = attributes.get(IFA_LOCAL) ?? far;
    if (local === undefined) return [];
    const peer = far === undefined || far.equals(local) ? {} : { peer: formatIp(far) };
    return [
      {
        index: body.readUInt32LE(4),
        address: `${formatIp(local)}/${body.readUInt8(1)}`,
        ...peer,
        scope: body.readUInt8(3),
      },
    ];
  });
}
