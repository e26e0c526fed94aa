import { packageProblem } from './problem.ts';

/** DER (ITU-T X.690) as far as CMS needs it: tags of one byte, definite lengths. */
export interface Der {
  readonly tag: number;
  /** What is inside, or the value. */
  readonly body: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

export const tags = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  nothing: 0x05,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;
export const context = (number: number): number => 0xa0 | number;

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return [0x80 | bytes.length, ...bytes];
}

/** The elements of a set are in the order of their bytes (clause 11.6). */
export const derSet = (parts: readonly Buffer[]): Buffer =>
  der(tags.set, ...parts.toSorted((a, b) => Buffer.compare(a, b)));

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const groups = [first * 40 + second, ...rest].flatMap((number) => {
    const bytes = [number & 0x7f];
    for (let more = Math.floor(number / 128); more > 0; more = Math.floor(more / 128))
      bytes.unshift(0x80 | (more & 0x7f));
    return bytes;
  });
  return der(tags.oid, Buffer.from(groups));
}

/** The values that stand one after the other. Whoever wrote them may be an enemy: nothing is read beyond the end. */
export function readDer(bytes: Buffer): readonly Der[] {
  const found: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const first = bytes[at + 1];
    if ((tag & 0x1f) === 0x1f || first === undefined) throw damaged();
    const digits = first < 0x80 ? 0 : first & 0x7f;
    // Indefinite lengths are no DER; more than four bytes are no signature.
    if (first === 0x80 || digits > 4 || at + 2 + digits > bytes.length) throw damaged();
    const length = digits === 0 ? first : bytes.readUIntBE(at + 2, digits);
    const begin = at + 2 + digits;
    if (begin + length > bytes.length) throw damaged();
    found.push({ tag, body: bytes.subarray(begin, begin + length), whole: bytes.subarray(at, begin + length) });
    at = begin + length;
  }
  return found;
}

/** The only value, which has to have that tag. */
export function only(bytes: Buffer, tag: number): Der {
  const [value, ...others] = readDer(bytes);
  if (value?.tag !== tag || others.length > 0) throw damaged();
  return value;
}

export const damaged = () => packageProblem('SF-PACKAGE-SIGNATURE', 'the signature is no CMS in DER');
