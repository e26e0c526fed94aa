import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

test('it says what OpenSSL says', () => {
  for (const text of ['', 'a', 'ü€😀', 'a'.repeat(1_000)]) {
    expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
  }
});
