import { expect, it } from 'vitest';
import { figurePlot, type ScaleReport, scalingPage, tracePlot } from './page.ts';

const point = (x: number) => ({ x, gain: x, activeVms: 5 - x, tasks: 2 * x, rejected: 0.1, rejecting: 10 * x });
const row = { trace: 'days', slaMinutes: 3, podHours: 20, changes: 4, p95LatencyMs: 9 };
const report: ScaleReport = {
  date: '2026-01-01T00:00:00.000Z',
  machine: { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0 },
  speed: [{ what: 'figure 67', count: 1, p50: 60, p99: 60, max: 61, goalMs: 50 }],
  figures: [
    { name: 'figure 66', points: [0, 1, 2, 3, 4].map(point) },
    { name: 'figure 67', points: [0, 2, 4].map(point) },
  ],
  traces: [
    { ...row, policy: 'hpa-cpu', cpuTarget: 0.6 },
    { ...row, policy: 'clairvoyant', slaMinutes: 0, podHours: 10 },
  ],
};

it('plots hold every point within their panels, the higher the larger', () => {
  for (const svg of [figurePlot(report, 'figure 66'), figurePlot(report, 'figure 67'), tracePlot(report)]) {
    expect(svg).not.toContain('NaN');
    const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+" fill="[^"]+"><title>/g)];
    expect(points.length).toBeGreaterThan(1);
    for (const [, x, y] of points) {
      expect(Number(x)).toBeLessThanOrEqual(854);
      expect(Number(y)).toBeGreaterThanOrEqual(46);
      expect(Number(y)).toBeLessThanOrEqual(300);
    }
  }
});

it('the page marks what misses its aim, and divides by the bound', () => {
  const page = scalingPage(report);
  expect(page).toContain('| figure 67 | **60.0 ms** | 61.0 ms | 50.0 ms |');
  expect(page).toContain('| days | hpa-cpu | 0.6 | 3.0 | 20 | 2.00 | 4 |');
  expect(page).not.toMatch(/NaN|undefined/);
});
