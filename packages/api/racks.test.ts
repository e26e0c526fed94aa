import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { listShapes } from './list-shapes.ts';
import { pageOf } from './lists.ts';
import { racksOf } from './racks.ts';

const site = (racks: readonly string[]) => ({
  site: 'edge',
  hosts: racks.map((_, i) => `h${i}`),
  cpu: racks.map((_, i) => (i % 7 === 0 ? -1 : i % 101)),
  memory: racks.map(() => 50),
  racks: [...racks],
  rackUnits: racks.map((_, i) => i % 40),
});
const page = (racks: readonly string[], query: object) =>
  pageOf(racksOf(site(racks)), { sort: 'name', limit: 24, ...query }, listShapes.racks);

it('every host stands in one rack, also those that say none', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('r1', 'r2', 'r10', ''), { maxLength: 200 }), (racks) => {
      const found = page(racks, { limit: 1_000 }).items;
      const hosts = found.flatMap(({ servers }) => servers.map(({ host }) => host));
      expect(hosts.toSorted()).toEqual(site(racks).hosts.toSorted());
      const named = found.filter(({ isRow }) => isRow !== true).map(({ name }) => name);
      expect(named).toEqual((['r1', 'r2', 'r10'] as const).filter((name) => racks.includes(name)));
      for (const { servers } of found.filter(({ isRow }) => isRow !== true))
        expect(servers.map(({ unit }) => unit)).toEqual(servers.map(({ unit }) => unit).toSorted((a, b) => b - a));
    }),
    { numRuns: 50 },
  );
});

it('a site that tells no racks is shown in rows, and closed hosts do not count in the load', () => {
  const { racks: _racks, rackUnits: _units, ...plain } = site(Array.from({ length: 100 }, () => ''));
  const found = racksOf(plain);
  expect(found.map(({ servers }) => servers.length)).toEqual([42, 42, 16]);
  expect(found[0]!.servers[0]!.cpu).toBe(-1);
  expect(found[0]!.memory).toBe(50);
  expect(found[1]!.full).toBe([80, 81, 82, 83].length);
});

it('pages bound what is sent, and racks are found by their servers and sorted by load', () => {
  const racks = Array.from({ length: 4_000 }, (_, i) => `r${Math.floor(i / 40)}`);
  const first = page(racks, {});
  expect([first.total, first.items.length, first.items[2]!.name]).toEqual([100, 24, 'r2']);
  expect(page(racks, { after: first.next }).items[0]!.name).toBe('r24');
  expect(page(racks, { search: 'h3999' }).items.map(({ name }) => name)).toEqual(['r99']);
  expect(page(racks, { search: 'nothing' })).toMatchObject({ items: [], total: 0 });
  const loads = page(racks, { sort: '-cpu' }).items.map(({ cpu }) => cpu);
  expect(loads).toEqual(loads.toSorted((a, b) => b - a));
});
