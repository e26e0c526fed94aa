import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainSegments } from './chain-path.ts';
import { aService, aSite, aUnit } from './fixtures.ts';
import { type Box, ease, layoutTopology, tweenBoxes } from './layout.ts';
import { buildTopology } from './topology.ts';

const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width + 1e-6 &&
  inner.y + inner.height <= outer.y + outer.height + 1e-6;

const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x + 1e-6 ||
  b.x + b.width <= a.x + 1e-6 ||
  a.y + a.height <= b.y + 1e-6 ||
  b.y + b.height <= a.y + 1e-6;

/** Sites of some hosts with some units each. */
const worlds = fc.array(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 9 });

function topologyOf(world: readonly (readonly number[])[]) {
  const sites = world.map((hosts, s) =>
    aSite(
      `s${s}`,
      hosts.map((_, h) => `h${h}`),
    ),
  );
  const units = world.flatMap((hosts, s) =>
    hosts.flatMap((count, h) => Array.from({ length: count }, (_, i) => aUnit(`p${h}`, i, `s${s}/h${h}`))),
  );
  return buildTopology({ sites, links: [], service: aService(units) });
}

describe('layoutTopology', () => {
  it('keeps members in hosts in sites, and everything apart from its like', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const topology = topologyOf(world);
        const layout = layoutTopology(topology);
        for (const site of topology.sites) {
          for (const host of site.hosts) {
            if (!inside(layout.hosts.get(host.id)!, layout.sites.get(site.name)!)) return false;
            for (const member of host.members) {
              if (!inside(layout.members.get(member.id)!, layout.hosts.get(host.id)!)) return false;
            }
          }
        }
        return [layout.sites, layout.hosts, layout.members].every((boxes) => {
          const all = [...boxes.values()];
          return all.every((a, i) => all.slice(i + 1).every((b) => apart(a, b)));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('draws 1,000 units as few boxes, in little time', () => {
    const hosts = Array.from({ length: 8 }, (_, i) => `h${i}`);
    const units = Array.from({ length: 1_000 }, (_, i) => aUnit(`web/p${i % 5}`, i, `edge/h${i % 8}`));
    const start = performance.now();
    const layout = layoutTopology(
      buildTopology({ sites: [aSite('edge', hosts)], links: [], service: aService(units) }),
    );
    expect(layout.members.size).toBe(40);
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('tweenBoxes', () => {
  const box = (x: number): Box => ({ x, y: 0, width: 10, height: 10 });

  it('goes from one layout to the next, and new boxes from where they come from', () => {
    const from = new Map([['a', box(0)]]);
    const to = new Map([
      ['a', box(100)],
      ['b', box(100)],
      ['c', box(50)],
    ]);
    const half = tweenBoxes(from, to, ease(0.5), (id) => (id === 'b' ? box(20) : undefined));
    expect([...half].map(([id, { x }]) => [id, x])).toEqual([
      ['a', 50],
      ['b', 60],
      ['c', 50],
    ]);
    expect(tweenBoxes(from, to, 1)).toBe(to);
  });
});

describe('chainSegments', () => {
  const at = (x: number, y: number): Box => ({ x, y, width: 100, height: 50 });

  it('leaves on the side of the next hop and arrives on the side of the one before', () => {
    const [right, down] = chainSegments([at(0, 0), at(200, 0), at(200, 100)], 0, 1);
    expect([right!.from, right!.to]).toEqual([
      { x: 100, y: 25 },
      { x: 200, y: 25 },
    ]);
    expect([down!.from, down!.to]).toEqual([
      { x: 250, y: 50 },
      { x: 250, y: 100 },
    ]);
  });

  it('keeps chains that share hops in lanes of their own', () => {
    const hops = [at(0, 0), at(200, 0)];
    const [upper, lower] = [0, 1].map((lane) => chainSegments(hops, lane, 2)[0]!);
    expect(upper!.from.y).toBeLessThan(lower!.from.y);
  });
});
