import { expect, it } from 'vitest';
import { aService, aSite, aUnit } from './fixtures.ts';
import { buildTopology } from './topology.ts';
import { lotsOf } from './unit-groups.ts';

const sites = [aSite('edge', ['e1', 'e2'])];

it('draws the same of units that were counted as of units that were told', () => {
  const units = Array.from({ length: 1_000 }, (_, i) =>
    aUnit(i % 3 === 0 ? 'web/proxy' : 'web/server', i, `edge/e${1 + (i % 2)}`, i % 50 === 0 ? { state: 'failed' } : {}),
  );
  const told = aService([...units, aUnit('db', 0, 'edge/e2')], [units[0]!, units[1]!]);
  const counted = {
    ...told,
    units: told.units.filter(({ path, id }) => path === 'db' || id === units[0]!.id || id === units[1]!.id),
    groups: lotsOf(told).map(({ units: _units, ...group }) => group),
  };
  const [a, b] = [told, counted].map((service) => buildTopology({ sites, links: [], service }));
  expect(b).toEqual(a);
  expect(a!.unitCount).toBe(1_001);
});
