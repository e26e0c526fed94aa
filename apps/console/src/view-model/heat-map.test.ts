import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellAt, layoutHeat, stepOfLoad, wholeView, zoomed } from './heat-map.ts';

const loads = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 }).map((counts) =>
  counts.map((count, s) => ({
    site: `s${s}`,
    hosts: Array.from({ length: count }, (_, i) => `h${i}`),
    cpu: Array.from({ length: count }, (_, i) => i % 101),
    memory: Array.from({ length: count }, () => 50),
  })),
);

describe('the map of hosts by load', () => {
  it('has every host in one cell of its own, inside the picture', () => {
    fc.assert(
      fc.property(loads, fc.double({ min: 0.3, max: 4, noNaN: true }), (all, proportion) => {
        const map = layoutHeat(all, 'cpu', proportion);
        const seen = new Map<string, number>();
        for (let y = 0; y < map.height; y += 1) {
          for (let x = 0; x < map.width; x += 1) {
            const cell = cellAt(map, x + 0.5, y + 0.5);
            if (cell === undefined) continue;
            const name = `${cell.site}/${cell.host}`;
            expect(seen.has(name)).toBe(false);
            seen.set(name, cell.load);
          }
        }
        const wanted = all.flatMap(({ site, hosts, cpu }) =>
          hosts.map((host, i) => [`${site}/${host}`, cpu[i]!] as const),
        );
        expect(seen).toEqual(new Map(wanted));
      }),
      { numRuns: 40 },
    );
  });

  it('is zoomed around the pointer', () => {
    fc.assert(
      fc.property(
        fc.record({
          x: fc.integer({ min: -50, max: 50 }),
          y: fc.integer({ min: -50, max: 50 }),
          scale: fc.constantFrom(1, 2, 8),
        }),
        fc.record({ x: fc.integer({ min: 0, max: 900 }), y: fc.integer({ min: 0, max: 600 }) }),
        fc.constantFrom(0.8, 1.25, 100),
        (view, at, factor) => {
          const next = zoomed(view, factor, at);
          expect(next.x + at.x / next.scale).toBeCloseTo(view.x + at.x / view.scale, 6);
          expect(next.y + at.y / next.scale).toBeCloseTo(view.y + at.y / view.scale, 6);
          expect(next.scale).toBeLessThanOrEqual(64);
        },
      ),
    );
  });

  it('shows all of a hundred thousand at once', () => {
    const hosts = Array.from({ length: 100_000 }, (_, i) => `h${i}`);
    const map = layoutHeat([{ site: 'big', hosts, cpu: hosts.map(() => 1), memory: [] }], 'cpu', 1.5);
    const view = wholeView(map, { width: 1_200, height: 800 });
    expect(map.width * view.scale).toBeLessThanOrEqual(1_201);
    expect(map.height * view.scale).toBeLessThanOrEqual(801);
  });

  it('has steps of load', () => {
    expect([-1, 0, 19.9, 20, 79, 80, 94.9, 95, 100].map(stepOfLoad)).toEqual([-1, 0, 0, 1, 3, 4, 4, 5, 5]);
  });
});
