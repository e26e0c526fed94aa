import { expect, test } from 'vitest';
import { endOfAnswer, withoutCredentials } from './git.ts';

test.each([
  ['https://user:secret@host/x', 'https://***@host/x'],
  ["fatal: 'https://token@host/x.git' and ssh://a:b@c", "fatal: 'https://***@host/x.git' and ssh://***@c"],
  [`https://user:it's"mine@host/x`, 'https://***@host/x'],
  [`${'x'.repeat(200)}://user:p@ss@host/x`, `${'x'.repeat(200)}://***@host/x`],
  ['https://host/a@b, git@host:x', 'https://host/a@b, git@host:x'],
])('credentials are taken out of %j', (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

test('long answers of no use are cleared in no time', () => {
  for (const hostile of ['a.', 'a://', '://@', ':', '/']) {
    const text = hostile.repeat(4_000_000 / hostile.length);
    expect(withoutCredentials(text).length).toBeLessThanOrEqual(4 * text.length);
  }
});

test('what is left of a long answer begins with no half of an address', () => {
  const long = `https://user:${'secret'.repeat(3_000)}@host/x refused\n`;
  expect(endOfAnswer(long)).toBe('refused');
  expect(endOfAnswer(`${'x'.repeat(10)} ${'remote: no\n'.repeat(1_400)}https://u:p@h/x`)).toMatch(
    /^(.|\n){1980,}https:\/\/\*\*\*@h\/x$/,
  );
});
