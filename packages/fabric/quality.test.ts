import { portQualities } from '@superfluidity/model';
import { expect, test } from 'vitest';
import { refuseQuality } from './quality.ts';

test('names what a site cannot do for a port, and lets through what it can', () => {
  const port = { bandwidthMbps: 10, guaranteedMbps: 5, dscp: 46 };
  expect(() => refuseQuality('deploy', port, portQualities)).not.toThrow();
  expect(() => refuseQuality('deploy', {}, [])).not.toThrow();
  expect(() => refuseQuality('deploy', { dscp: 0 }, ['bandwidth'])).toThrow('no marking of packets (dscp)');
  expect(() => refuseQuality('deploy', port, ['bandwidth'])).toThrow(
    expect.objectContaining({
      code: 'SF-FABRIC-QUALITY',
      details: expect.objectContaining({ data: { lacking: ['guarantee', 'dscp'] } }),
    }),
  );
});
