/**
 * Netlink attributes (netlink(7), include/uapi/linux/netlink.h): u16 length with header, u16 type, value, padding
 * to 4 bytes. Integers are in host order; every platform on which Node runs with this driver is little-endian.
 */

export type AttributeValue = Uint8Array | readonly Attribute[];

export interface Attribute {
  readonly type: number;
  readonly value: AttributeValue;
}

const HEADER = 4;
/** The two upper bits of the type are flags: nested, and network byte order. */
const TYPE_MASK = 0x3fff;

export function align4(length: number): number {
  return (length + 3) & ~3;
}

function valueLength(value: AttributeValue): number {
  return value instanceof Uint8Array ? value.length : attributesLength(value);
}

export function attributesLength(attributes: readonly Attribute[]): number {
  let total = 0;
  for (const { value } of attributes) total += align4(HEADER + valueLength(value));
  return total;
}

function write(attributes: readonly Attribute[], into: Buffer, start: number): number {
  let at = start;
  for (const { type, value } of attributes) {
    const length = HEADER + valueLength(value);
    into.writeUInt16LE(length, at);
    into.writeUInt16LE(type, at + 2);
    if (value instanceof Uint8Array) into.set(value, at + HEADER);
    else write(value, into, at + HEADER);
    at += align4(length);
  }
  return at;
}

/** `head` is the fixed structure that stands before the attributes of every message. */
export function encodeAttributes(attributes: readonly Attribute[], head: Uint8Array = new Uint8Array(0)): Buffer {
  const start = align4(head.length);
  const into = Buffer.alloc(start + attributesLength(attributes));
  into.set(head);
  write(attributes, into, start);
  return into;
}

/** The values are views of `bytes`. A malformed tail is ignored, as the kernel's own parser does. */
export function decodeAttributes(bytes: Buffer, start = 0): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  let at = start;
  while (at + HEADER <= bytes.length) {
    const length = bytes.readUInt16LE(at);
    if (length < HEADER || at + length > bytes.length) break;
    found.set(bytes.readUInt16LE(at + 2) & TYPE_MASK, bytes.subarray(at + HEADER, at + length));
    at += align4(length);
  }
  return found;
}

export function bytes(type: number, value: Uint8Array): Attribute {
  return { type, value };
}

export function nested(type: number, value: readonly Attribute[]): Attribute {
  return { type, value };
}

export function u8(type: number, value: number): Attribute {
  return { type, value: Uint8Array.of(value) };
}

export function u16(type: number, value: number): Attribute {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return { type, value: buffer };
}

/** Ports are in network byte order. */
export function be16(type: number, value: number): Attribute {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return { type, value: buffer };
}

export function u32(type: number, value: number): Attribute {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return { type, value: buffer };
}

/** Zero-terminated, as the kernel wants names. */
export function text(type: number, value: string): Attribute {
  return { type, value: Buffer.from(`${value}\0`) };
}

/** What an optional setting contributes: nothing when it is not given. */
export function when<T>(value: T | undefined, make: (value: T) => Attribute): readonly Attribute[] {
  return value === undefined ? [] : [make(value)];
}

export function readText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end === -1 ? value.length : end);
}

export function readU32(value: Buffer | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : value.readUInt32LE();
}
