import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageOfRacks, RACKS_SHOWN, racksOf } from './racks.ts';

const site = (racks: readonly string[]) => ({
  site: 'edge',
  hosts: racks.map((_, i) => `h${i}`),
  cpu: racks.map((_, i) => (i % 7 === 0 ? -1 : i % 101)),
  memory: racks.map(() => 50),
  racks: [...racks],
  rackUnits: racks.map((_, i) => i % 40),
});

it('every host stands in one rack, also those that say none', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('r1', 'r2', 'r10', ''), { maxLength: 200 }), (racks) => {
      const found = racksOf(site(racks), 'cpu');
      const hosts = found.flatMap(({ servers }) => servers.map(({ host }) => host));
      expect(hosts.toSorted()).toEqual(site(racks).hosts.toSorted());
      const named = found.map(({ name }) => name).filter((name) => name.startsWith('r'));
      expect(named).toEqual((['r1', 'r2', 'r10'] as const).filter((name) => racks.includes(name)));
    }),
    { numRuns: 50 },
  );
});

it('a site that tells no racks is shown in rows, and closed hosts have no load', () => {
  const { racks: _racks, rackUnits: _units, ...plain } = site(Array.from({ length: 100 }, () => ''));
  const found = racksOf(plain, 'memory');
  expect(found.map(({ servers }) => servers.length)).toEqual([42, 42, 16]);
  expect(found[0]!.servers[0]!.load).toBe(-1);
  expect(found[0]!.servers[1]!.load).toBe(50);
});

it('pages bound what is drawn, and find racks by their servers', () => {
  const racks = racksOf(site(Array.from({ length: 4_000 }, (_, i) => `r${Math.floor(i / 40)}`)), 'cpu');
  const last = pageOfRacks(racks, '', 99);
  expect([last.pages, last.page, last.racks.length]).toEqual([5, 5, 100 - 4 * RACKS_SHOWN]);
  expect(pageOfRacks(racks, 'h3999', 1).racks.map(({ name }) => name)).toEqual(['r99']);
  expect(pageOfRacks(racks, 'nothing', 1)).toMatchObject({ racks: [], pages: 1, page: 1 });
});
