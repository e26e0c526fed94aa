import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

test('it says what OpenSSL says', () => {
  const known = (text: string) => createHash('sha256').update(text).digest('hex');
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000]) {
    const text = 'a'.repeat(length);
    expect(sha256(text)).toBe(known(text));
  }
  const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(texts, (text) => {
      expect(sha256(text)).toBe(known(text));
    }),
  );
});
