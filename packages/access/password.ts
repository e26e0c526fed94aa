import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { limits } from './limits.ts';

/** Of scrypt (RFC 7914): N = 2^ln, block size r, parallelisation p. It takes 128 * N * r bytes while it works. */
export interface PasswordCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about a fifth of a second: one of the equal choices of the OWASP cheat sheet on the storage of passwords. */
export const defaultCost: PasswordCost = { ln: 15, r: 8, p: 3 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** With no hash to compare with it takes as long as with one: the time does not tell which names there are. */
  verify(password: string, hash: string | null | undefined): Promise<boolean>;
  /** Whether the hash was made with other parameters than those of today. */
  isOld(hash: string): boolean;
}

export function createPasswords(cost: PasswordCost = defaultCost): Passwords {
  const inTurn = createTurns(limits.hashing);
  const nobody = write(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return write(cost, salt, await inTurn(() => derive(password, salt, cost)));
    },
    async verify(password, hash) {
      const kept = read(hash ?? nobody) ?? read(nobody)!;
      const made = await inTurn(() => derive(password, kept.salt, kept.cost));
      return timingSafeEqual(made, kept.hash) && hash !== null && hash !== undefined;
    },
    isOld(hash) {
      const kept = read(hash)?.cost;
      return kept?.ln !== cost.ln || kept.r !== cost.r || kept.p !== cost.p;
    },
  };
}

/** Long enough not to be guessed, and not the name: what else makes a password good nobody can check (NIST SP 800-63B). */
export function checkPassword(password: string, name: string): void {
  const { lengthMin, lengthMax } = limits.password;
  const length = [...password].length;
  const reason =
    length < lengthMin
      ? `it has ${length} characters, and takes ${lengthMin}`
      : length > lengthMax
        ? `it has more than ${lengthMax} characters`
        : new Set(password).size < 4 || password.toLowerCase().replaceAll(name, '').length < lengthMin / 2
          ? 'it is the name, or one character again and again'
          : undefined;
  if (reason !== undefined) throw new SuperfluidityError('SF-ACCESS-WEAK', { doing: 'set a password', reason });
}

/** Equal letters are equal however a keyboard composes them (NFKC). */
function derive(password: string, salt: Buffer, { ln, r, p }: PasswordCost): Promise<Buffer> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 129 * N * r + 1_024 * r * p };
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}

function write({ ln, r, p }: PasswordCost, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

function read(text: string) {
  const [, ln, r, p, salt = '', hash = ''] = FORM.exec(text) ?? [];
  if (ln === undefined) return undefined;
  const bytes = Buffer.from(hash, 'base64url');
  if (bytes.length !== HASH_BYTES) return undefined;
  return { cost: { ln: Number(ln), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, 'base64url'), hash: bytes };
}

/** So many at a time, the others wait; more than may wait are refused. */
function createTurns({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
  let working = 0;
  const queue: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (working >= atOnce) {
      if (queue.length >= waiting) {
        throw new SuperfluidityError('SF-ACCESS-BUSY', { doing: 'check a password', reason: `${waiting} are waiting` });
      }
      await new Promise<void>((resolve) => queue.push(resolve));
    } else working += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next one as it is, so that nobody takes it in between.
      const next = queue.shift();
      if (next === undefined) working -= 1;
      else next();
    }
  };
}
