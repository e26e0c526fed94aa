import { type Attribute, bytes, decodeAttributes, readU32, u32 } from './attributes.ts';
import { formatIp, parseIpOf } from './ip-address.ts';
import { AF_INET, AF_INET6 } from './libc.ts';

/**
 * Segment routing over IPv6: what a route does with a packet instead of only forwarding it. Headers after RFC 8754,
 * behaviours after RFC 8986; attributes of include/uapi/linux/seg6_iptunnel.h and seg6_local.h.
 */

/** H.Encaps and H.Encaps.Red: the segments in the order in which they are visited. */
export interface Seg6Encap {
  readonly kind: 'seg6';
  readonly mode: 'encap' | 'encap.red';
  readonly segments: readonly string[];
}

/** What the owner of a segment does. Every one but `End` and `End.X` takes the outer header off. */
export type Seg6Local =
  | { readonly kind: 'seg6local'; readonly action: 'End' }
  | { readonly kind: 'seg6local'; readonly action: 'End.X'; readonly via: string }
  | { readonly kind: 'seg6local'; readonly action: 'End.DX4'; readonly via: string }
  | { readonly kind: 'seg6local'; readonly action: 'End.DX6'; readonly via: string }
  | { readonly kind: 'seg6local'; readonly action: 'End.DX2'; readonly device: number }
  | { readonly kind: 'seg6local'; readonly action: 'End.DT6'; readonly table: number };

export type Encapsulation = Seg6Encap | Seg6Local;

const ENCAP_SEG6 = 5;
const ENCAP_SEG6_LOCAL = 7;
const SEG6_IPTUNNEL_SRH = 1;
const MODES = { encap: 1, 'encap.red': 3 } as const;
const LOCAL = { action: 1, table: 3, nh4: 4, nh6: 5, oif: 7 } as const;
const ACTIONS = { End: 1, 'End.X': 2, 'End.DX2': 4, 'End.DX6': 5, 'End.DX4': 6, 'End.DT6': 7 } as const;

const SRH_FIXED = 8;
const SRH_TYPE = 4;
const MODE_BYTES = 4;

/** struct seg6_iptunnel_encap: the mode, then a segment routing header whose list is in reverse order. */
function encodeHeader(encap: Seg6Encap): Buffer {
  const count = encap.segments.length;
  const length = SRH_FIXED + 16 * count;
  const buffer = Buffer.alloc(MODE_BYTES + length);
  buffer.writeInt32LE(MODES[encap.mode], 0);
  buffer.writeUInt8((length >> 3) - 1, MODE_BYTES + 1);
  buffer.writeUInt8(SRH_TYPE, MODE_BYTES + 2);
  buffer.writeUInt8(count - 1, MODE_BYTES + 3);
  buffer.writeUInt8(count - 1, MODE_BYTES + 4);
  for (const [i, segment] of encap.segments.entries()) {
    buffer.set(parseIpOf(AF_INET6, segment), MODE_BYTES + SRH_FIXED + 16 * (count - 1 - i));
  }
  return buffer;
}

function decodeHeader(buffer: Buffer): Seg6Encap | undefined {
  const mode = Object.entries(MODES).find(([, number]) => number === buffer.readInt32LE(0))?.[0];
  if (mode === undefined) return undefined;
  const count = buffer.readUInt8(MODE_BYTES + 4) + 1;
  const at = (i: number) => MODE_BYTES + SRH_FIXED + 16 * i;
  const segments = Array.from({ length: count }, (_, i) => formatIp(buffer.subarray(at(count - 1 - i), at(count - i))));
  return { kind: 'seg6', mode: mode as Seg6Encap['mode'], segments };
}

function localArguments(encap: Seg6Local): readonly Attribute[] {
  switch (encap.action) {
    case 'End':
      return [];
    case 'End.DX4':
      return [bytes(LOCAL.nh4, parseIpOf(AF_INET, encap.via))];
    case 'End.X':
    case 'End.DX6':
      return [bytes(LOCAL.nh6, parseIpOf(AF_INET6, encap.via))];
    case 'End.DX2':
      return [u32(LOCAL.oif, encap.device)];
    case 'End.DT6':
      return [u32(LOCAL.table, encap.table)];
  }
}

export function encodeEncapsulation(encap: Encapsulation): {
  readonly type: number;
  readonly value: readonly Attribute[];
} {
  if (encap.kind === 'seg6') return { type: ENCAP_SEG6, value: [bytes(SEG6_IPTUNNEL_SRH, encodeHeader(encap))] };
  return { type: ENCAP_SEG6_LOCAL, value: [u32(LOCAL.action, ACTIONS[encap.action]), ...localArguments(encap)] };
}

/** `undefined` for encapsulations that this driver never makes. */
export function decodeEncapsulation(type: number, value: Buffer): Encapsulation | undefined {
  const attributes = decodeAttributes(value);
  if (type === ENCAP_SEG6) {
    const header = attributes.get(SEG6_IPTUNNEL_SRH);
    return header === undefined ? undefined : decodeHeader(header);
  }
  if (type !== ENCAP_SEG6_LOCAL) return undefined;
  const number = readU32(attributes.get(LOCAL.action));
  const action = Object.entries(ACTIONS).find(([, known]) => known === number)?.[0] as keyof typeof ACTIONS | undefined;
  const nextHop = attributes.get(LOCAL.nh4) ?? attributes.get(LOCAL.nh6);
  switch (action) {
    case 'End':
      return { kind: 'seg6local', action };
    case 'End.X':
    case 'End.DX4':
    case 'End.DX6':
      return nextHop === undefined ? undefined : { kind: 'seg6local', action, via: formatIp(nextHop) };
    case 'End.DX2':
      return { kind: 'seg6local', action, device: readU32(attributes.get(LOCAL.oif)) ?? 0 };
    case 'End.DT6':
      return { kind: 'seg6local', action, table: readU32(attributes.get(LOCAL.table)) ?? 0 };
    default:
      return undefined;
  }
}

export function showEncapsulation(encap: Encapsulation): string {
  if (encap.kind === 'seg6') return ` encap seg6 mode ${encap.mode} segs ${encap.segments.join(',')}`;
  const { kind, action, ...rest } = encap;
  const words = Object.entries(rest).map(([key, value]) => ` ${key} ${String(value)}`);
  return ` encap ${kind} action ${action}${words.join('')}`;
}
