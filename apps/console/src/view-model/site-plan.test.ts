import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLAN, planSites, scaled } from './site-plan.ts';

const link = (a: string, b: string, latencyMs: number) => ({ a, b, latencyMs, jitterMs: 0, loss: 0, bandwidthMbps: 1 });
const between = (a: { x: number; y: number }, b: { x: number; y: number }) => Math.hypot(a.x - b.x, a.y - b.y);

describe('scaled', () => {
  it('finds points of a plane again from their distances', () => {
    const coordinate = fc.integer({ min: -100, max: 100 });
    fc.assert(
      fc.property(fc.array(fc.record({ x: coordinate, y: coordinate }), { minLength: 2, maxLength: 7 }), (points) => {
        // Where both axes are alike, power iteration finds any pair of directions; that takes it long.
        const found = scaled(points.map((a) => points.map((b) => between(a, b))));
        const worst = Math.max(
          ...points.flatMap((a, i) => points.map((b, j) => Math.abs(between(found[i]!, found[j]!) - between(a, b)))),
        );
        expect(worst).toBeLessThan(0.05 * Math.max(1, ...points.flatMap((a) => points.map((b) => between(a, b)))));
      }),
      { numRuns: 60 },
    );
  });
});

describe('planSites', () => {
  it('puts the north up and the east right', () => {
    const sites = [
      { name: 'parma', latitude: 44.8, longitude: 10.3 },
      { name: 'frankfurt', latitude: 50.1, longitude: 8.7 },
      { name: 'vienna', latitude: 48.2, longitude: 16.4 },
    ];
    const { by, places } = planSites(sites, []);
    expect(by).toBe('coordinates');
    expect(places.get('frankfurt')!.y).toBeLessThan(places.get('parma')!.y);
    expect(places.get('vienna')!.x).toBeGreaterThan(places.get('parma')!.x);
  });

  it('puts what is near by latency nearer, over several links', () => {
    const sites = ['a', 'b', 'c'].map((name) => ({ name }));
    const { by, places } = planSites(sites, [link('a', 'b', 5), link('b', 'c', 30)]);
    expect(by).toBe('latency');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => places.get(name)!);
    expect(between(a!, b!)).toBeLessThan(between(b!, c!));
    expect(between(a!, c!)).toBeGreaterThan(between(b!, c!));
  });

  it('keeps apart what would hide each other, inside of the plan, and is bounded', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ name: `s${i}` }));
    const { places } = planSites(many, []);
    expect(places.size).toBe(PLAN.sitesMax);
    for (const { x, y } of places.values()) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(PLAN.width);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(PLAN.height);
    }
    const same = planSites(
      [1, 2].map((i) => ({ name: `s${i}`, latitude: 1, longitude: 1 })),
      [],
    ).places;
    expect(between(same.get('s1')!, same.get('s2')!)).toBeGreaterThan(PLAN.apart * 0.9);
    expect(planSites([], []).places.size).toBe(0);
    expect(planSites([{ name: 'only' }], []).places.get('only')).toEqual({ x: PLAN.width / 2, y: PLAN.height / 2 });
  });
});
