import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Group, groupAt } from '../groups.ts';
import { objections } from './objections.ts';
import { type PartUnit, type SitePart, writeSitePart } from './write-site.ts';

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}[a-z0-9]$/);
const rule = fc.record(
  {
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const),
    from: fc.constantFrom('10.0.0.0/8', '192.0.2.1'),
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const parts = fc.uniqueArray(label, { minLength: 1, maxLength: 3 }).chain((names): fc.Arbitrary<SitePart> => {
  const port = fc.record(
    {
      name: label,
      network: fc.constantFrom(...names),
      address: fc.constant('10.60.0.9'),
      serviceAddresses: fc.constantFrom([], ['10.99.0.1']),
      allow: fc.array(rule, { maxLength: 2 }),
      bandwidthMbps: fc.constantFrom(1, 0.5, 1_000),
      guaranteedMbps: fc.constantFrom(1, 0.5),
      dscp: fc.constantFrom(0, 46),
    },
    { requiredKeys: ['name', 'network', 'serviceAddresses'] },
  );
  const unit = fc.record({
    path: fc.tuple(label, label).map((words) => words.join('/')),
    index: fc.nat(3),
    generation: fc.integer({ min: 1, max: 3 }),
    forwards: fc.boolean(),
    ports: fc.array(port, { maxLength: 3 }),
  });
  const key = (one: { path: string; index: number; generation: number }) =>
    `${one.path}#${one.index}@${one.generation}`;
  return fc.record({
    description: fc.constant('A part'),
    networks: fc.constant(
      names.map((name, at) => ({ name, prefix: `10.60.${at}.0/24`, supernet: '10.60.0.0/16', mtu: 1_500 })),
    ),
    units: fc
      .uniqueArray(unit, { maxLength: 6, selector: key })
      .map((units) => units.map((one, at): PartUnit => ({ ...one, after: at === 0 ? [] : [at - 1] }) as PartUnit)),
  });
});

/** What the driver of the site adds. */
function withFlavors(template: Group): Group {
  const resources = Object.entries(groupAt(template, 'resources')).map(([name, resource]) => {
    const isServer = groupAt({ resource }, 'resource')['type'] === 'OS::Nova::Server';
    const properties = { ...groupAt(resource, 'properties'), ...(isServer ? { flavor: 'm1.small' } : {}) };
    return [name, { ...(resource as Group), properties }];
  });
  return { ...template, resources: Object.fromEntries(resources) };
}

const resourcesOf = (part: SitePart) => writeSitePart(part).template['resources'] as Record<string, unknown>;

describe('the part of a service at a site', () => {
  test('is a template that Heat takes, with a name of its own for everything', () => {
    fc.assert(
      fc.property(parts, (part) => {
        const { template, networks, units } = writeSitePart(part);
        expect(objections(new Map([['part.yaml', withFlavors(template)]]))).toEqual([]);
        const names = [
          ...networks.flatMap(({ network, subnet }) => [network, subnet]),
          ...units.flatMap(({ server, ports }) => [server, ...ports]),
        ];
        expect(new Set(names).size).toBe(names.length);
        for (const name of names) expect(template['resources']).toHaveProperty([name]);
      }),
    );
  });

  test('says the same of a unit whatever else comes and goes, so that an update leaves it alone', () => {
    fc.assert(
      fc.property(parts, (part) => {
        const [first, ...others] = part.units;
        fc.pre(first !== undefined);
        const all = resourcesOf(part);
        const alone = resourcesOf({ ...part, units: [first!] });
        expect(others.length + 1).toBe(part.units.length);
        for (const [name, resource] of Object.entries(alone)) expect(all[name]).toEqual(resource);
      }),
    );
  });
});
