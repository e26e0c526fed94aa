import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sumOf } from './controller-process.ts';
import { kuryrPage, podsPlot } from './page.ts';
import { type CaseReport, type KuryrReport, type PodBurst, reportLines, risesOf } from './report.ts';

const burst = (vif: PodBurst['vif'], pods: number): PodBurst => ({
  vif,
  pods,
  poolMs: 500 + pods,
  demandMs: 400 * pods,
  poolCalls: pods,
  demandCalls: 8 * pods,
});
const one: CaseReport = {
  date: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench -- kuryr',
  machine: { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0, loadAfter: 1 },
  rows: [{ what: 'one pod', count: 20, p50: 31, p99: 40, max: 40, goalMs: 30 }],
  ratios: [{ what: 'pool / on demand', ours: 10, other: 50, ratio: 0.2, atMost: 0.1, met: false }],
  figures: [
    { what: 'calls', value: 2, atMost: 1 },
    { what: 'memory', value: 7 },
  ],
  notes: ['noted'],
  bursts: (['neutron-vif', 'nested-vlan'] as const).flatMap((vif) => [10, 200].map((pods) => burst(vif, pods))),
};
const report: KuryrReport = { date: one.date, cases: { pods: one, thousand: { ...one, rows: [], bursts: [] } } };

it('the plot holds every point within its panels', () => {
  const svg = podsPlot(one.bursts);
  expect(svg).not.toContain('NaN');
  const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)" r="2.2"/g)];
  expect(points).toHaveLength(8);
  for (const [, x, y] of points) {
    expect(Number(x)).toBeLessThanOrEqual(854);
    expect(Number(y)).toBeGreaterThanOrEqual(46);
    expect(Number(y)).toBeLessThanOrEqual(300);
  }
});

it('the page marks what misses its aim, and leaves out what was not measured', () => {
  const page = kuryrPage(report);
  expect(page).toContain('| one pod | **31.0 ms** | 40.0 ms | 30.0 ms |');
  expect(page).toContain('| pool / on demand | **0.2** | 0.1 |');
  expect(page).toContain('| calls | **2** | 1 |');
  expect(page).toContain('| memory | 7 |  |');
  expect(page).toContain('| 200 | nested | 700.0 ms |  |  | 80.00 s | 114.3 | 200 | 1600 |');
  const { demandMs: _, demandCalls: __, ...pooled } = burst('nested-vlan', 100);
  const without = { ...one, bursts: [...one.bursts, pooled] };
  expect(kuryrPage({ ...report, cases: { pods: without } })).toContain(
    '| 100 | nested | 600.0 ms |  |  |  |  | 100 |  |',
  );
  expect(podsPlot(without.bursts)).not.toContain('NaN');
  expect(page).not.toContain('The plugin alone');
  expect(page).not.toMatch(/NaN|undefined/);
});

it('pods without a network stand beside those with one where they were measured', () => {
  const bursts = one.bursts.map((each) => ({ ...each, floorMs: 300 }));
  const measured: KuryrReport = { ...report, cases: { pods: { ...one, bursts } } };
  expect(kuryrPage(measured)).toContain(
    '| 200 | nested | 700.0 ms | 300.0 ms | 2.0 ms | 80.00 s | 114.3 | 200 | 1600 |',
  );
  expect(reportLines(measured).join('\n')).toMatch(
    /200 pods at once, nested: ms for each above those without a network +2\.0/,
  );
  expect(reportLines(report).join('\n')).not.toContain('without a network');
  const [svg, before] = [podsPlot(bursts), podsPlot(one.bursts)];
  expect([...svg.matchAll(/r="2.2"/g)]).toHaveLength(12);
  expect(svg).toContain('without a network');
  expect(before).not.toContain('without a network');
});

it('the original stands beside ours where it was measured', () => {
  expect(kuryrPage(report)).not.toContain('The original beside ours');
  const beside = [{ what: 'one pod, from the pool', oursMs: 25, otherMs: 3_000, oursCalls: 0, otherCalls: 2 }];
  const page = kuryrPage({ ...report, cases: { original: { ...one, beside } } });
  expect(page).toContain('| one pod, from the pool | 25.0 ms | 3.00 s | 120.0 | 0 | 2 |');
  expect(page).not.toMatch(/NaN|undefined/);
});

it('counts of the controller are summed over the series with the labels that are asked for', () => {
  const text = [
    '# HELP x_total what',
    'x_total{service="network",method="GET"} 3',
    'x_total{service="network",method="POST"} 4',
    'x_total{service="identity",method="POST"} 5',
    'x_total_more{service="network"} 100',
    'plain 1.5',
  ].join('\n');
  expect(sumOf(text, 'x_total', { service: 'network' })).toBe(7);
  expect(sumOf(text, 'x_total')).toBe(12);
  expect(sumOf(text, 'plain')).toBe(1.5);
  expect(sumOf(text, 'none')).toBe(0);
});

it('what a pod more takes is that of a line through the first and the last burst that was made either way', () => {
  const each = fc.nat(1_000);
  fc.assert(
    fc.property(each, each, fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 2 }), (pool, demand, all) => {
      const sizes = all.toSorted((a, b) => a - b);
      const line = sizes.map((pods) => ({ pods, poolMs: 7 + pool * pods, demandMs: 3 + demand * pods }));
      const found = risesOf([...line, { pods: 300, poolMs: 1 }])!;
      expect(found).toMatchObject({ from: sizes[0], to: sizes.at(-1) });
      expect(found.poolMs).toBeCloseTo(pool);
      expect(found.demandMs).toBeCloseTo(demand);
    }),
  );
  expect(risesOf([burst('nested-vlan', 10)])).toBeUndefined();
  // Of the bursts above, a pod more takes 1 ms from the pool and 400 ms on demand.
  expect(kuryrPage(report)).toContain('Ours, nested, from 10 to 200 pods: by 1.0 ms and 400.0 ms, 0.003 of it.');
});
