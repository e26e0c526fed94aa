import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';

/** The keys by which secrets are sealed, outside of the database. The first one seals; the others open what is older. */
export interface KeyRing {
  /** Makes the file with a first key where there is none and `make` says so. */
  keys(make?: boolean): Promise<readonly Key[]>;
  /** As it is now: another server may have rotated the keys. */
  reload(): Promise<readonly Key[]>;
  /** Where the keys are in a file. Those that come from the environment are changed there. */
  readonly replace?: (keys: readonly Key[]) => Promise<void>;
}

export interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

export interface Sealed {
  readonly keyId: string;
  readonly nonce: string;
  readonly sealed: string;
}

const KEY_BYTES = 32;
/** 96 bits at random (NIST SP 800-38D): for the few values of one key far from where two could be equal. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEYS_MAX = 16;

export const newKey = (): Key => keyOf(randomBytes(KEY_BYTES));

function keyOf(bytes: Buffer): Key {
  return { id: createHash('sha256').update('superfluidity key id').update(bytes).digest('hex').slice(0, 12), bytes };
}

/** One key a line or word, in base64: 32 random bytes, as `openssl rand -base64 32` prints them. */
export function parseKeys(text: string, from: string): readonly Key[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const keys = words.slice(0, KEYS_MAX).map((word) => Buffer.from(word, 'base64'));
  if (keys.length > 0 && keys.every((key) => key.length === KEY_BYTES)) return keys.map(keyOf);
  throw unusable(from, `it does not hold keys of ${KEY_BYTES} bytes in base64`);
}

export function keyRingOfText(text: string): KeyRing {
  const keys = parseKeys(text, 'SUPERFLUIDITY_SECRET_KEY');
  return { keys: async () => keys, reload: async () => keys };
}

export function keyRingOfFile(file: string): KeyRing {
  let known: readonly Key[] | undefined;
  const write = async (keys: readonly Key[]) => {
    const fresh = `${file}.new`;
    // On the disk before it has the name: what it opens must not be lost with the power.
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(`${keys.map(({ bytes }) => bytes.toString('base64')).join('\n')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
    known = keys;
  };
  const read = async (): Promise<readonly Key[]> => {
    try {
      if (((await stat(file)).mode & 0o077) !== 0) throw unusable(file, 'others may read it: `chmod 600` it');
      known = parseKeys(await readFile(file, 'utf8'), file);
      return known;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  };
  return {
    async keys(make = false) {
      const keys = known ?? (await read());
      if (keys.length > 0 || !make) return keys;
      await write([newKey()]);
      return known!;
    },
    reload: read,
    replace: write,
  };
}

export function seal(key: Key, value: string, about: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(about));
  const parts = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { keyId: key.id, nonce: nonce.toString('base64'), sealed: parts.toString('base64') };
}

/** Throws where a bit of it, or what it is about, is another. */
export function unseal(key: Key, { nonce, sealed }: Omit<Sealed, 'keyId'>, about: string): string {
  const parts = Buffer.from(sealed, 'base64');
  const cipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(nonce, 'base64'), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(about)).setAuthTag(parts.subarray(-TAG_BYTES));
  return Buffer.concat([cipher.update(parts.subarray(0, -TAG_BYTES)), cipher.final()]).toString('utf8');
}

/** Tells equal values apart from others, and nothing to whoever has not the key. */
export function fingerprintOf(key: Key, value: string): string {
  const own = Buffer.from(hkdfSync('sha256', key.bytes, '', 'superfluidity fingerprints', KEY_BYTES));
  return createHmac('sha256', own).update(value).digest('hex').slice(0, 16);
}

function unusable(from: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SECRET-KEY', { doing: `read the keys of secrets from ${from}`, reason });
}
