import { chainPolicies } from '@superfluidity/place/ocm';
import { expect, it } from 'vitest';
import { placementPage } from './page.ts';
import { acceptancePlot, costPlot } from './plot.ts';
import type { OcmReport } from './report.ts';
import { SIZES } from './study.ts';
import { SWITCHES } from './workload.ts';

const spread = (mean: number) => ({ mean, half: 0.1 });
const report: OcmReport = {
  date: '2026-01-01T00:00:00.000Z',
  machine: { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0 },
  speed: [{ what: 'ocm step', count: 1, p50: 30, p99: 30, max: 31, goalMs: 20 }],
  study: SWITCHES.flatMap((name) =>
    SIZES.flatMap((hosts) =>
      chainPolicies.map((policy, i) => ({
        switch: name,
        hosts,
        policy,
        seeds: 2,
        offered: 10 * hosts,
        accepted: spread(hosts * (1 + i)),
        untilRefusal: spread(hosts),
        ratio: spread(policy === 'gather' ? Number.NaN : 1 + i / 2),
        ratioLight: spread(1),
      })),
    ),
  ),
  gaps: [{ switch: 'dpdk-ovs', seed: 0, chains: 3, onlineCores: 3, boundCores: 2 }],
};

it('plots hold every point within their panels, the higher the larger, and leave out what there is no figure for', () => {
  for (const [svg, left] of [
    [costPlot(report), 1],
    [acceptancePlot(report), 0],
  ] as const) {
    const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"[^>]*><title>([\w-]+), \d+ hosts: ([\d.]+)/g)];
    expect(points).toHaveLength(SWITCHES.length * SIZES.length * (chainPolicies.length - left));
    for (const [, x, y] of points) {
      expect(Number(x)).toBeLessThanOrEqual(720);
      expect(Number(y)).toBeGreaterThanOrEqual(46);
      expect(Number(y)).toBeLessThanOrEqual(330);
    }
    const byValue = points
      .map(([, , y, , value]) => [Number(value), Number(y)] as const)
      .toSorted((a, b) => a[0] - b[0]);
    byValue.slice(1).forEach(([, y], i) => expect(y).toBeLessThanOrEqual(byValue[i]![1]));
    expect(svg).not.toContain('NaN');
  }
});

it('the page marks what misses its aim, and says how far online is from the bound', () => {
  const page = placementPage(report);
  expect(page).toContain('| ocm step | **30.0 ms** | 31.0 ms | 20.0 ms |');
  expect(page).toContain('| dpdk-ovs | 0 | 3 | 3.000 | 2.000 | 1.50 |');
  expect(page).not.toMatch(/NaN|undefined/);
});
