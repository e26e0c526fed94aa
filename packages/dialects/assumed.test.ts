import { modelLimits, parseIpv4, parseIpv4Prefix, prefixesOverlap, prefixHas } from '@superfluidity/model';
import { expect, it } from 'vitest';
import { ASSUMED, assumedAddress, assumedPrefix, isAssumed } from './assumed.ts';

const all = parseIpv4Prefix('10.128.0.0/9')!;
const shared = parseIpv4Prefix('100.64.0.0/10')!;

it('assumes prefixes for as many networks as a service may have, none of which overlap', () => {
  const written = Array.from({ length: modelLimits.networks }, (_, i) => assumedPrefix(i));
  const prefixes = written.map((prefix) => parseIpv4Prefix(prefix)!);
  expect(written[300]).toBe('10.129.44.0/24');
  expect(new Set(written).size).toBe(modelLimits.networks);
  expect(new Set(prefixes.map(({ length }) => length))).toEqual(new Set([24]));
  expect(prefixes.filter((prefix) => !prefixesOverlap(prefix, all))).toEqual([]);
});

it('assumes addresses that no network has by assumption, one for each chain and balancer', () => {
  const written = Array.from({ length: 2 * modelLimits.chains }, (_, i) => assumedAddress(i));
  expect(new Set(written).size).toBe(written.length);
  expect(written.filter((address) => !prefixHas(shared, parseIpv4(address)!))).toEqual([]);
  expect(prefixesOverlap(shared, all)).toBe(false);
});

it('knows what was assumed from what its dialect carries alone', () => {
  expect(isAssumed('heat', { carried: { heat: { ...ASSUMED } } })).toBe(true);
  for (const carried of [undefined, {}, { osm: ASSUMED }, { heat: { prefixAssumed: 'yes' } }, { heat: null }])
    expect(isAssumed('heat', carried === undefined ? {} : { carried })).toBe(false);
});
