import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;
const FORM = /^sf_[A-Za-z0-9_-]{43}$/;

/** 256 random bits. The prefix lets secret scanners and readers of a leaked log recognise what it is. */
export function newSecret(): string {
  return `sf_${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

export function looksLikeSecret(text: string): boolean {
  return FORM.test(text);
}

/** A plain hash is enough: nobody can search 256 random bits, so there is nothing for a slow hash to slow down. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  return left.length === right.length && timingSafeEqual(left, right);
}
