import type { ListedNetwork } from '@superfluidity/api';
import { type Service, unitsOf } from '@superfluidity/model';
import { type Store, sql } from '@superfluidity/store';
import type { Sites } from './sites.ts';
import { MTU } from './transition.ts';

/** The networks of services, as their descriptors say and as far as their units are there; and those of sites. */
export async function allNetworks({ db }: Store, sites: Sites): Promise<readonly ListedNetwork[]> {
  const [services, counts] = await Promise.all([
    db
      .selectFrom('service')
      .innerJoin('descriptor', 'descriptor.id', 'service.descriptor_id')
      .select(['service.name', 'descriptor.service as described'])
      .execute(),
    db
      .selectFrom('unit')
      .select(['service', 'path', 'site', sql<number>`count(*)::int`.as('count')])
      .groupBy(['service', 'path', 'site'])
      .execute(),
  ]);
  const ofService = Map.groupBy(counts, ({ service }) => service);
  const found = services.flatMap(({ name, described }): ListedNetwork[] => {
    const service = described as unknown as Service;
    const here = Map.groupBy(ofService.get(name) ?? [], ({ path }) => path);
    return service.networks.map((network) => {
      const on = new Set<string>();
      let portCount = 0;
      for (const { path, unit } of unitsOf(service)) {
        const ports = unit.ports.filter((port) => port.network === network.name).length;
        if (ports === 0) continue;
        for (const { site, count } of here.get(path) ?? []) {
          on.add(site);
          portCount += ports * count;
        }
      }
      const { prefix, mtu = MTU } = network;
      const id = `${name}.${network.name}`;
      return { id, of: 'service', owner: name, name: network.name, prefix, mtu, sites: [...on].sort(), portCount };
    });
  });
  const own = await Promise.all(
    [...sites.drivers()].map(async ([site, driver]): Promise<ListedNetwork[]> => {
      const print = await driver.fingerprint().catch(() => undefined);
      if (print === undefined) return [];
      const { locator, hosts } = print;
      const portCount = hosts.length;
      return [
        {
          id: site,
          of: 'site',
          owner: site,
          name: 'segments',
          prefix: locator,

          sites: [site],
          portCount,
        },
      ];
    }),
  );
  return [...found, ...own.flat()];
}
