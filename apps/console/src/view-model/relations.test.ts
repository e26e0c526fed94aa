import { expect, it } from 'vitest';
import { aService, aSite, aUnit } from './fixtures.ts';
import { relationsOf } from './relations.ts';
import { buildTopology } from './topology.ts';

it('are the chains through a unit, and what shares a chain or a network with it', () => {
  const port = (network: string) => ({ name: 'p', network, address: '10.0.0.1', mac: '', sid: '' });
  const [a, b, c, d] = [
    aUnit('a', 0, 'edge/e1', { ports: [port('users')] }),
    aUnit('b', 0, 'edge/e1'),
    aUnit('c', 0, 'edge/e1', { ports: [port('users')] }),
    aUnit('d', 0, 'edge/e1', { ports: [port('other')] }),
  ];
  const service = aService([a, b, c, d], [a, b]);
  const topology = buildTopology({ sites: [aSite('edge', ['e1'])], links: [], service });
  const found = relationsOf(topology, a.id)!;
  expect([...found.chains]).toEqual(['uplink']);
  expect(found.members).toEqual(new Set([a.id, b.id, c.id]));
  expect(relationsOf(topology, d.id)!.chains.size).toBe(0);
  expect(relationsOf(topology, 'gone')).toBeUndefined();
  expect(relationsOf(topology, undefined)).toBeUndefined();
});
