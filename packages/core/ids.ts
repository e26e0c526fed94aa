/**
 * Ids sort by creation time (48 bits of milliseconds, 40 random bits) and carry what they name:
 * `op-0mfx3k1c9w4t7q2a8z`. Pure code takes an `IdSource` instead of calling this.
 */
export type IdPrefix = 'site' | 'link' | 'desc' | 'svc' | 'unit' | 'op' | 'net' | 'tok' | 'srv' | 'usr' | 'ses';
export type Id<P extends IdPrefix = IdPrefix> = `${P}-${string}`;
export type IdSource = <P extends IdPrefix>(prefix: P) => Id<P>;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(bytes: Uint8Array, length: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let i = 0; i < length; i += 1) {
    text = ALPHABET[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return text;
}

export function newId<P extends IdPrefix>(prefix: P, nowMs: number = Date.now()): Id<P> {
  const bytes = new Uint8Array(11);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(nowMs / 2 ** 32));
  view.setUint32(2, nowMs >>> 0);
  crypto.getRandomValues(bytes.subarray(6));
  return `${prefix}-${base32(bytes, 18)}`;
}

/**
 * A name of bounded length derived from an id, for places where the kernel sets limits (15 characters for an
 * interface). 50 bits of SHA-256: a collision among 100,000 names has a probability below 1 in 200,000, and who
 * creates the thing notices, because creation by a name in use fails.
 */
export function shortName(prefix: string, id: string, lengthMax = 15): string {
  // Not imported: what imports this room for other things runs in browsers too, and makes no interfaces there.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256').update(id).digest();
  return prefix + base32(digest.subarray(0, 10), Math.min(10, lengthMax - prefix.length));
}

/** Ids in a fixed order, for tests and for replays. */
export function sequentialIds(): IdSource {
  let next = 0;
  return (prefix) => {
    next += 1;
    return `${prefix}-${String(next).padStart(6, '0')}`;
  };
}
