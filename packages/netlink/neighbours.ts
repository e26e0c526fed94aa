import { bytes, decodeAttributes, encodeAttributes } from './attributes.ts';
import { formatIp, formatMac, parseIp, parseMac } from './ip-address.ts';
import type { NamespaceName } from './namespaces.ts';
import { dump, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE, type NetlinkRequest } from './netlink.ts';

/** Neighbours: who has which MAC address, told instead of asked for. include/uapi/linux/neighbour.h. */

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_NOARP = 0x40;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 2;
const AF_BRIDGE = 7;

export interface NeighbourSettings {
  readonly address: string;
  readonly mac: string;
}

/** struct ndmsg */
function head(family: number, index: number, state: number, flags: number): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeUInt8(family, 0);
  buffer.writeInt32LE(index, 4);
  buffer.writeUInt16LE(state, 8);
  buffer.writeUInt8(flags, 10);
  return buffer;
}

/** Idempotent. A permanent entry spares the first packet the address resolution, which takes a second when it is lost. */
export function replaceNeighbour(index: number, of: NeighbourSettings): NetlinkRequest {
  return {
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    words: `neigh replace ${of.address} lladdr ${of.mac} dev #${index}`,
    body: () => {
      const { family, bytes: address } = parseIp(of.address);
      return encodeAttributes(
        [bytes(NDA_DST, address), bytes(NDA_LLADDR, parseMac(of.mac))],
        head(family, index, NUD_PERMANENT, 0),
      );
    },
  };
}

export function deleteNeighbour(index: number, address: string): NetlinkRequest {
  return {
    type: RTM_DELNEIGH,
    flags: 0,
    words: `neigh del ${address} dev #${index}`,
    body: () => {
      const { family, bytes: value } = parseIp(address);
      return encodeAttributes([bytes(NDA_DST, value)], head(family, index, 0, 0));
    },
  };
}

/** Where a VXLAN device sends frames for a MAC address; 00:00:00:00:00:00 stands for broadcast and unknown ones. */
export function addForwarding(index: number, mac: string, remote: string): NetlinkRequest {
  return {
    type: RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    words: `fdb append ${mac} dev #${index} dst ${remote}`,
    body: () =>
      encodeAttributes(
        [bytes(NDA_LLADDR, parseMac(mac)), bytes(NDA_DST, parseIp(remote).bytes)],
        head(AF_BRIDGE, index, NUD_NOARP | NUD_PERMANENT, NTF_SELF),
      ),
  };
}

export interface Neighbour {
  readonly index: number;
  readonly address: string;
  readonly mac?: string;
  readonly permanent: boolean;
}

export function listNeighbours(namespace: NamespaceName): readonly Neighbour[] {
  const request = { type: RTM_GETNEIGH, flags: 0, words: 'neigh show', body: () => head(0, 0, 0, 0) };
  return dump(namespace, request).flatMap(({ body }) => {
    const attributes = decodeAttributes(body, 12);
    const address = attributes.get(NDA_DST);
    const mac = attributes.get(NDA_LLADDR);
    if (address === undefined) return [];
    return [
      {
        index: body.readInt32LE(4),
        address: formatIp(address),
        ...(mac === undefined ? {} : { mac: formatMac(mac) }),
        permanent: (body.readUInt16LE(8) & NUD_PERMANENT) !== 0,
      },
    ];
  });
}
