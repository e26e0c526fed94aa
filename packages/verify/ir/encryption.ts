import { type Condition, meta } from './expression.ts';
import { block, branch, type Instruction } from './instruction.ts';

export const KEY_BITS = 52;

/** FNV-1a, so that the key itself is in no report. */
export function fingerprint(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash & ((1n << BigInt(KEY_BITS)) - 1n);
}

/** The key by which a packet is encrypted; one on another when it is encrypted again. */
export const KEY = meta('ipsec.key');

/** From these tags on nobody on the way can read the packet. The second is that of a packet that is encrypted twice. */
export const encryptedFrom = ['ENCRYPTED', 'ENCRYPTED.2'] as const;

const isEncrypted: Condition = { kind: 'exists', at: KEY };

/** What lies behind the tag is encrypted now; before the key is noted. */
export function beginEncryption(relativeTo: string): Instruction {
  const [first, second] = encryptedFrom.map((tag): Instruction => ({ op: 'createTag', tag, relativeTo, offset: 0 }));
  return branch(isEncrypted, second!, first!);
}

/** After the key is gone. */
export function endEncryption(): Instruction {
  const [first, second] = encryptedFrom.map((tag) =>
    block({ op: 'createTag', tag, offset: 0 }, { op: 'destroyTag', tag }),
  );
  return branch(isEncrypted, second!, first!);
}
