import {
  type HostLoad,
  type ListedHost,
  listShapes,
  pageOf,
  racksOf,
  type SiteDeclaration,
  type SiteLink,
} from '@superfluidity/api';
import type { Handlers } from '../handlers.ts';
import { accepted, type Look } from '../look.ts';
import { pastOf } from '../metrics.ts';
import { listedNetworks } from '../networks.ts';
import { found, Refusal } from '../refusal.ts';
import type { Scenario } from '../scenario.ts';
import { makeSite } from '../make-site.ts';
import { setLink, tell, type World } from '../world.ts';
import { listedUnits } from './units.ts';

/** Sites, their hosts, storage, pools, networks, and the links between them. */
export function siteHandlers(
  world: World,
  { site }: Look,
  scenario: Scenario,
): Pick<
  Handlers,
  | 'listSites'
  | 'addSite'
  | 'removeSite'
  | 'purgeSite'
  | 'getSite'
  | 'listHosts'
  | 'getHostLoad'
  | 'listRacks'
  | 'listStorage'
  | 'listPools'
  | 'getPool'
  | 'populatePool'
  | 'freePool'
  | 'freePools'
  | 'describeSite'
  | 'dumpSite'
  | 'listNetworks'
  | 'listLinks'
  | 'changeLink'
  | 'setLink'
> {
  const hosts = (): ListedHost[] => {
    const counts = Map.groupBy(listedUnits(world), (unit) => `${unit.site}/${unit.host}`);
    return [...world.sites.values()].flatMap((one) =>
      one.hosts.map((host) => ({
        ...host,
        site: one.name,
        unitCount: counts.get(`${one.name}/${host.name}`)?.length ?? 0,
      })),
    );
  };
  const loads = (): HostLoad[] =>
    [...world.sites.values()].map((one) => ({
      site: one.name,
      hosts: one.hosts.map((host) => host.name),
      cpu: one.hosts.map((host) => (host.schedulable ? percent(host.used.cpu, host.cpu) : -1)),
      memory: one.hosts.map((host) => percent(host.used.memoryMiB, host.memoryMiB)),
      ...(one.hosts.some(({ rack }) => rack !== undefined)
        ? { racks: one.hosts.map(({ rack = '' }) => rack), rackUnits: one.hosts.map(({ rackUnit = 0 }) => rackUnit) }
        : {}),
    }));
  const pool = (name: string | undefined, of: string | undefined) =>
    found(
      site(name).pools.find((one) => one.name === of),
      'SF-LIFECYCLE-UNKNOWN',
      `site ${name} has no pool '${of}'`,
      'List them: `superfluidity pool list`.',
    );
  return {
    listSites: ({ query }) => pageOf([...world.sites.values()], query as never, listShapes.sites),
    addSite: ({ body }) => {
      const declared = body as unknown as SiteDeclaration;
      if (declared.kind === 'openstack')
        throw new Refusal(
          409,
          'SF-LIFECYCLE-SITE-UNUSABLE',
          'credentials (no clouds.yaml was found)',
          'Write clouds.yaml.',
        );
      const made = {
        ...makeSite(declared.name, declared.tier ?? 'edge', [
          { name: 'h1', cpu: 8, memoryMiB: 16_384, environments: ['container', 'vm'] },
        ]),
        ...declared,
      };
      world.sites.set(made.name, made);
      tell(world, { kind: 'site', subject: made.name, severity: 'info', message: `site ${made.name} added`, body: {} });
      return made;
    },
    removeSite: ({ params }) => {
      const one = site(params['name']);
      if (one.unitCount > 0)
        throw new Refusal(
          409,
          'SF-LIFECYCLE-IN-USE',
          `${one.unitCount} units run there`,
          'Move or terminate them first.',
        );
      world.sites.delete(one.name);
      tell(world, { kind: 'site', subject: one.name, severity: 'info', message: `site ${one.name} removed`, body: {} });
      return null;
    },
    purgeSite: ({ params }) => ({ removed: [`everything of ${site(params['name']).name}`] }),
    getSite: ({ params }) => site(params['name']),
    listHosts: ({ query }) => pageOf(hosts(), query as never, listShapes.hosts),
    getHostLoad: () => loads(),
    listRacks: ({ query }) => pageOf(loads().flatMap(racksOf), query as never, listShapes.racks),
    listStorage: ({ query }) => {
      const all = [...world.sites.values()].flatMap((one) =>
        (one.storage ?? []).map((tier) => ({ ...tier, site: one.name })),
      );
      return pageOf(all, query as never, listShapes.storage);
    },
    getPool: ({ params }) => pool(params['name'], params['pool']),
    populatePool: ({ params, body }) => {
      const one = pool(params['name'], params['pool']);
      one.ready = Math.min(one.maximum ?? Number.POSITIVE_INFINITY, one.ready + Number(body['count']));
      return one;
    },
    freePool: ({ params }) => Object.assign(pool(params['name'], params['pool']), { ready: 0, paused: true }),
    freePools: ({ params }) => site(params['name']).pools.map((one) => Object.assign(one, { ready: 0, paused: true })),
    describeSite: () => ({ tables: [] }),
    dumpSite: () => ({ intent: [], realised: [] }),
    listPools: ({ query }) => {
      const all = [...world.sites.values()].flatMap((one) =>
        one.pools.map((pool) => ({ ...pool, site: one.name, past: pastOf(pool, Date.now()) })),
      );
      return pageOf(all, query as never, listShapes.pools);
    },
    listNetworks: ({ query }) => pageOf(listedNetworks(world), query as never, listShapes.networks),
    listLinks: ({ query }) => pageOf(world.links, query as never, listShapes.links),
    changeLink: ({ body }) => {
      const { link, before } = body as unknown as { link: SiteLink; before?: SiteLink | null };
      const subject = [link.a, link.b].toSorted().join();
      const now = world.links.find(({ a, b }) => [a, b].toSorted().join() === subject);
      if (
        before !== undefined &&
        (before?.latencyMs !== now?.latencyMs || before?.bandwidthMbps !== now?.bandwidthMbps)
      )
        throw new Refusal(409, 'SF-LIFECYCLE-CHANGED', 'the link is another by now', 'Look at it and change it again.');
      return accepted(scenario.link(link));
    },
    setLink: ({ body }) => {
      const link = body as unknown as SiteLink;
      setLink(world, link);
      return link;
    },
  };
}

const percent = (part: number, all: number) => (all > 0 ? Math.round((part / all) * 1_000) / 10 : 0);
