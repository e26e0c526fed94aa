import { describe, expect, test } from 'vitest';
import { addressOf, prefixOf } from './index.ts';

describe('IPv4 in specifications', () => {
  test.each(['', '1.2.3', '256.0.0.1', '01.2.3.4', '1.2.3.4 '])('refuses %j as an address', (text) => {
    expect(() => addressOf(text)).toThrow(expect.objectContaining({ code: 'SF-FABRIC-ADDRESS' }));
  });

  test.each(['', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', 'x/8'])('refuses %j as a prefix', (text) => {
    expect(() => prefixOf(text)).toThrow(expect.objectContaining({ code: 'SF-FABRIC-PREFIX' }));
  });

  test('says what is meant when bits are set after the prefix', () => {
    expect(() => prefixOf('10.1.2.3/24')).toThrow('10.1.2.0/24');
  });
});
