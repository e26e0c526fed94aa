import type { Site as SiteView, SiteDeclaration, SiteDetail, SiteLink } from '@superfluidity/api';
import { newId, reportError, shortName, SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import type { Host, Site, SitePath } from '@superfluidity/model';
import {
  type DriverKind,
  type Fingerprint,
  openWithSecrets,
  type PoolStatus,
  type DataPlaneFile,
  type SharedNetworks,
  type SiteDescription,
  type SiteDriver,
} from '@superfluidity/site';
import { sql, toJson } from '@superfluidity/store';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { LifecycleOptions } from './options.ts';
import { poolView } from './pool-view.ts';
import { checkHome, checkSharing, homesOf, type NetworkHomes, refusePurge, sharedBy } from './shared-networks.ts';

/** The sites that the operator declared, each with its open driver. */
export interface Sites {
  /** Opens the drivers of all sites in the database: what runs in them is found again. */
  open(): Promise<void>;
  /** Takes in what other servers on the same database added, changed or removed. */
  refresh(): Promise<void>;
  close(): Promise<void>;
  kinds(): readonly DriverKind[];
  add(declaration: SiteDeclaration): Promise<SiteDetail>;
  list(): Promise<readonly SiteView[]>;
  show(name: string): Promise<SiteDetail>;
  /** What the site says of itself, asked now. */
  describe(name: string): Promise<SiteDescription>;
  dump(
    name: string,
  ): Promise<{ readonly intent: readonly DataPlaneFile[]; readonly realised: readonly DataPlaneFile[] }>;
  remove(name: string): Promise<void>;
  purge(name: string): Promise<readonly string[]>;
  pool(site: string, pool: string): Promise<PoolStatus>;
  populatePool(site: string, pool: string, count: number): Promise<PoolStatus>;
  /** Of all pools where none is named. */
  freePools(site: string, pool: string | undefined): Promise<readonly PoolStatus[]>;
  links(): Promise<readonly SiteLink[]>;
  setLink(link: SiteLink): Promise<SiteLink>;
  /** Refuses a link that cannot be. */
  checkLink(link: SiteLink): Promise<void>;
  readonly linkPorts: LinkPorts;
  driver(name: string): Promise<SiteDriver>;
  /** Opens anew, on all servers, what was opened with a secret that has another value now. */
  secretChanged(name: string): Promise<void>;
  /** All open drivers, by name of the site. */
  drivers(): ReadonlyMap<string, SiteDriver>;
  /** Sites that are in the networks of others. */
  homes(): NetworkHomes;
  /** What a site that is in the networks of another one says of that, which is as it says. Undefined: it has its own. */
  shared(name: string): Promise<SharedNetworks | undefined>;
  /** What placement works on: capacity as the sites report it now. */
  snapshot(): Promise<{ readonly sites: readonly Site[]; readonly paths: readonly SitePath[] }>;
}

/** What an operation does with links, one site at a time. */
export interface LinkPorts {
  realise(site: string, link: SiteLink, call: FabricCall): Promise<void>;
  drop(site: string, link: SiteLink, call: FabricCall): Promise<void>;
  /** In the database, and told to everybody. `link` undefined: there is none any more. */
  keep(link: SiteLink | undefined, previous: SiteLink | undefined): Promise<void>;
}

interface OpenedSite {
  readonly id: string;
  readonly declaration: SiteDeclaration;
  /** Of the row from which it was opened. */
  readonly updatedAt: number;
  readonly driver: SiteDriver | undefined;
  readonly error: unknown;
}

type Summary = { readonly site: SiteView } & (
  | { readonly print: Fingerprint; readonly open: SiteDriver }
  | { readonly print?: undefined; readonly open?: undefined }
);

/** Tells all servers that sites or links have changed. */
const CHANNEL = 'site';

export function createSites(options: LifecycleOptions): Sites {
  const { store, kinds, clock, log, events } = options;
  const opened = new Map<string, OpenedSite>();
  let knownLinks: readonly SiteLink[] = [];
  /** Something has changed since the database was read. Should the news be lost, reconciliation reads it anyhow. */
  let stale = true;
  let stopListening = async (): Promise<void> => {};
  let refreshing: Promise<void> | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();

  const kindOf = (declaration: SiteDeclaration): DriverKind => {
    const kind = kinds.find((each) => each.kind === declaration.kind);
    if (kind !== undefined) return kind;
    throw new SuperfluidityError('SF-LIFECYCLE-SITE-KIND', {
      doing: `open site ${declaration.name}`,
      reason: `'${declaration.kind}' is none of ${kinds.map((each) => each.kind).join(', ')}`,
    });
  };

  async function openDriver(id: string, declaration: SiteDeclaration): Promise<SiteDriver> {
    const kind = kindOf(declaration);
    const missing = (await kind.missing()).filter((each) => each.required);
    if (missing.length > 0) {
      throw new SuperfluidityError('SF-LIFECYCLE-SITE-UNUSABLE', {
        doing: `open site ${declaration.name} of kind ${kind.kind}`,
        reason: missing.map((each) => `${each.name} (${each.reason})`).join('; '),
        data: { missing },
      });
    }
    const { name, config } = declaration;
    const site = { id, name, config, stateFolder: options.siteFolder, clock, log };
    return options.secrets === undefined ? kind.open(site) : openWithSecrets(kind, site, options.secrets);
  }

  async function get(name: string): Promise<OpenedSite> {
    if (!opened.has(name)) await refresh();
    const site = opened.get(name);
    if (site !== undefined) return site;
    throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
      reason: `there is no site '${name}'`,
      hint: `Sites are: ${[...opened.keys()].join(', ') || 'none yet'}. Add one with \`superfluidity site add\`.`,
    });
  }

  async function driver(name: string): Promise<SiteDriver> {
    const site = await get(name);
    if (site.driver !== undefined) return site.driver;
    throw new SuperfluidityError('SF-SITE-UNAVAILABLE', {
      doing: `use site ${name}`,
      reason: 'it could not be opened',
      cause: site.error,
    });
  }

  /** Changes to the list of sites one after the other: a site is not opened twice, nor closed while it is being opened. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(work);
    lastTurn = turn.catch(() => {});
    return turn;
  }

  /** Whoever asks meanwhile waits for the same look. */
  function refresh(): Promise<void> {
    refreshing ??= inTurn(reopen).finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function reopen(): Promise<void> {
    stale = false;
    const rows = await store.db
      .selectFrom('site')
      .selectAll()
      .select((eb) => jsonArrayFrom(eb.selectFrom('site_link').select('path').orderBy('a').orderBy('b')).as('links'))
      .orderBy('created_at')
      .execute();
    knownLinks = (rows[0]?.links ?? []).map((row) => row.path as unknown as SiteLink);
    for (const { id, name, declaration: json, updated_at: updatedAt } of rows) {
      const before = opened.get(name);
      if (before?.id === id && before.updatedAt >= updatedAt) continue;
      await before?.driver?.close();
      const declaration = json as unknown as SiteDeclaration;
      try {
        const open = await openDriver(id, declaration);
        opened.set(name, { id, declaration, updatedAt, driver: open, error: undefined });
      } catch (error) {
        log.error({ site: name, error: reportError(error) }, 'site cannot be opened');
        opened.set(name, { id, declaration, updatedAt, driver: undefined, error });
      }
    }
    const known = new Set(rows.map((row) => row.name));
    for (const [name, site] of opened) {
      if (known.has(name)) continue;
      opened.delete(name);
      await site.driver?.close();
    }
  }

  async function changed(): Promise<void> {
    stale = true;
    await store.notify(CHANNEL);
  }

  /** Without its hosts, of which there may be a hundred thousand. */
  async function summary({ id, declaration }: OpenedSite): Promise<Summary> {
    try {
      const open = await driver(declaration.name);
      const [print, units] = await Promise.all([open.fingerprint(), open.listUnits()]);
      const site = {
        ...declaration,
        id,
        healthy: true,
        realPackets: print.realPackets,
        hostCount: print.hosts.length,
        unitCount: units.length,
        ...totals(print.hosts),
      };
      return { site, print, open };
    } catch (error) {
      const nothing = { hostCount: 0, unitCount: 0, ...totals([]) };
      const site = { ...declaration, id, ...nothing, healthy: false, realPackets: false, error: reportError(error) };
      return { site };
    }
  }

  async function view(opened: OpenedSite): Promise<SiteDetail> {
    const { site, print, open } = await summary(opened);
    const nothing = { hosts: [], capabilities: [], pools: [] };
    if (print === undefined) return { ...site, ...nothing };
    try {
      const pools = (await open.poolStatus()).map(poolView);
      const capabilities = print.capabilities.map(({ name, present, note }) => ({
        name,
        present,
        ...(note === undefined ? {} : { note }),
      }));
      const storage = print.storage?.map((tier) => ({ ...tier, uses: tier.uses.map((use) => ({ ...use })) }));
      return {
        ...site,
        hosts: print.hosts.map(mutableHost),
        capabilities,
        pools,
        ...(storage === undefined ? {} : { storage }),
      };
    } catch (error) {
      return { ...site, ...nothing, healthy: false, error: reportError(error) };
    }
  }

  async function poolOf(site: string, name: string): Promise<PoolStatus> {
    const found = (await (await driver(site)).poolStatus()).find((pool) => pool.name === name);
    if (found === undefined) throw unknownPool(site, name);
    return found;
  }

  function poolChanged(site: string, pool: string, message: string): void {
    events.append({ kind: 'pool', subject: site, severity: 'info', message, body: { site, pool } });
  }

  async function links(): Promise<readonly SiteLink[]> {
    if (stale) await refresh();
    return knownLinks;
  }

  const adminCall = async (key: string): Promise<FabricCall> => ({
    key,
    fence: await options.fence(),
    signal: AbortSignal.timeout(options.limits.adminCallMs),
  });

  /** Both sites are told: the one that has both ends makes the whole link, and it is idempotent. */
  async function realise(link: SiteLink): Promise<void> {
    const call = await adminCall(`link/${idOfLink(link)}`);
    for (const name of [link.a, link.b]) await realiseAt(name, link, call);
  }

  const idOfLink = ({ a, b }: SiteLink): string => shortName('link-', [a, b].toSorted().join());

  async function realiseAt(site: string, link: SiteLink, call: FabricCall): Promise<void> {
    const siteIds = { a: (await get(link.a)).id, b: (await get(link.b)).id };
    await (await driver(site)).fabric.ensureLink({ id: idOfLink(link), ...link, siteIds }, call);
  }

  async function keepLink(link: SiteLink | undefined, previous: SiteLink | undefined): Promise<void> {
    const [a, b] = [(link ?? previous)!.a, (link ?? previous)!.b].toSorted() as [string, string];
    const now = clock.now();
    if (link === undefined) {
      await store.db.deleteFrom('site_link').where('a', '=', a).where('b', '=', b).execute();
    } else {
      await store.db
        .insertInto('site_link')
        .values({ a, b, path: toJson(link as never), created_at: now, updated_at: now })
        .onConflict((conflict) =>
          conflict.columns(['a', 'b']).doUpdateSet({ path: toJson(link as never), updated_at: now }),
        )
        .execute();
    }
    await changed();
    const what = link === undefined ? 'gone' : `${link.latencyMs} ms, ${link.bandwidthMbps} Mbit/s`;
    const body = link === undefined ? {} : { ...link };
    events.append({ kind: 'site', subject: `${a}-${b}`, severity: 'info', message: `link ${a} - ${b}: ${what}`, body });
  }

  async function checkLink(link: SiteLink): Promise<void> {
    await get(link.a);
    await get(link.b);
    if (link.a === link.b) {
      throw new SuperfluidityError('SF-SITE-CONFIG', { doing: 'set link', reason: 'both ends are the same site' });
    }
    const [a, b] = [(await get(link.a)).declaration, (await get(link.b)).declaration];
    const refusals = [[a, b] as const, [b, a] as const].flatMap(([one, other]) => {
      const joins = kindOf(one).joins?.(one.config);
      return joins === undefined || joins.kinds.includes(other.kind) ? [] : [{ site: one.name, hint: joins.hint }];
    });
    if (refusals.length === 0) return;
    const hints = refusals.flatMap(({ site, hint }) => (hint === undefined ? [] : [`${site}: ${hint}`]));
    throw new SuperfluidityError('SF-LIFECYCLE-LINK', {
      doing: `link ${link.a} and ${link.b}`,
      reason: `packets do not go between ${a.name}, of kind ${a.kind}, and ${b.name}, of kind ${b.kind}`,
      ...(hints.length === 0 ? {} : { hint: hints.join(' ') }),
      data: { kinds: [a.kind, b.kind] },
    });
  }

  const declared = (): ReadonlyMap<string, SiteDeclaration> =>
    new Map([...opened].map(([name, { declaration }]) => [name, declaration]));
  const homes = (): NetworkHomes => homesOf(declared().values(), kinds);
  const guestsOf = (name: string) => [...homes()].flatMap(([guest, home]) => (home === name ? [guest] : []));

  async function shared(name: string): Promise<SharedNetworks | undefined> {
    const found = sharedBy((await get(name)).declaration, kinds);
    checkHome(name, found, declared(), `use site ${name}`);
    return found;
  }

  /** A service with units there. */
  async function userOf(site: string): Promise<string | undefined> {
    const used = await store.db.selectFrom('unit').select('service').where('site', '=', site).limit(1).execute();
    return used[0]?.service;
  }

  async function add(declaration: SiteDeclaration): Promise<SiteDetail> {
    const before = opened.get(declaration.name);
    if (before !== undefined && before.declaration.kind !== declaration.kind) {
      throw new SuperfluidityError('SF-LIFECYCLE-NAME-TAKEN', {
        doing: `add site ${declaration.name}`,
        reason: `there is a site of that name and of kind ${before.declaration.kind}`,
      });
    }
    const now = clock.now();
    const existing = await store.db
      .selectFrom('site')
      .select('id')
      .where('name', '=', declaration.name)
      .executeTakeFirst();
    const id = existing?.id ?? newId('site', now);
    // The old one goes when the new one is there: a declaration that is refused changes nothing.
    const open = await openDriver(id, declaration);
    const values = {
      kind: declaration.kind,
      config: toJson(declaration.config as never),
      declaration: toJson(declaration as never),
    };
    try {
      await store.db
        .insertInto('site')
        .values({ name: declaration.name, id, ...values, created_at: now, updated_at: now })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...values, updated_at: now }))
        .execute();
    } catch (error) {
      await open.close();
      throw error;
    }
    await changed();
    const site = { id, declaration, updatedAt: now, driver: open, error: undefined };
    opened.set(declaration.name, site);
    await before?.driver?.close();
    const detail = await view(site);
    events.append({
      kind: 'site',
      subject: declaration.name,
      severity: 'info',
      message: `site ${declaration.name} (${declaration.kind}) ${before === undefined ? 'added' : 'changed'}: ${detail.hostCount} hosts`,
      body: { name: declaration.name },
    });
    return detail;
  }

  async function remove(name: string, site: OpenedSite): Promise<void> {
    const user = await userOf(name);
    const [guest] = guestsOf(name);
    if (user !== undefined || guest !== undefined) {
      throw new SuperfluidityError('SF-LIFECYCLE-IN-USE', {
        doing: `remove site ${name}`,
        reason: user === undefined ? `site ${guest} is in its networks` : `units of service ${user} run there`,
      });
    }
    await site.driver?.purge();
    await site.driver?.close();
    await store.db.deleteFrom('site').where('name', '=', name).execute();
    await changed();
    opened.delete(name);
    events.append({ kind: 'site', subject: name, severity: 'info', message: `site ${name} removed`, body: { name } });
  }

  return {
    kinds: () => kinds,
    driver,
    links,
    drivers: () => new Map([...opened].flatMap(([name, site]) => (site.driver ? [[name, site.driver] as const] : []))),

    async open() {
      stopListening = await store.listen(CHANNEL, () => {
        stale = true;
      });
      await refresh();
    },
    refresh,

    async close() {
      await stopListening();
      await Promise.allSettled([...opened.values()].flatMap((site) => site.driver?.close() ?? []));
      opened.clear();
    },

    async secretChanged(name) {
      const now = clock.now();
      const { numUpdatedRows } = await store.db
        .updateTable('site')
        .set({ updated_at: sql<number>`greatest(updated_at + 1, ${now})` })
        .where(sql<boolean>`strpos(declaration::text, ${`"secret:${name}"`}) > 0`)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) await changed();
    },

    homes,
    shared,

    async add(declaration) {
      // What other servers have added counts too.
      if (sharedBy(declaration, kinds) !== undefined) await refresh();
      await checkSharing(declaration, kinds, declared(), userOf);
      return inTurn(() => add(declaration));
    },

    async list() {
      await refresh();
      return Promise.all([...opened.values()].map(async (one) => (await summary(one)).site));
    },

    show: async (name) => view(await get(name)),

    async describe(name) {
      const open = await driver(name);
      return (await open.describe?.()) ?? { tables: [] };
    },

    async dump(name) {
      const open = await driver(name);
      if (open.readIntent === undefined && open.readDataPlane === undefined)
        throw new SuperfluidityError('SF-SITE-NO-DUMP', {
          doing: `dump the networks of ${name}`,
          reason: `a site of kind ${open.kind} has nothing that could be read`,
        });
      const [intent = [], realised] = await Promise.all([open.readIntent?.(), open.readDataPlane?.()]);
      return { intent, realised: realised?.files ?? [] };
    },

    async remove(name) {
      const site = await get(name);
      await inTurn(() => remove(name, site));
    },

    async purge(name) {
      await refusePurge(name, guestsOf(name), driver);
      const removed = await (await driver(name)).purge();
      const message = `site ${name} purged: ${removed.length} things removed`;
      events.append({ kind: 'site', subject: name, severity: 'warning', message, body: { name } });
      for (const link of await links()) if (link.a === name || link.b === name) await realise(link);
      return removed;
    },

    pool: poolOf,

    async populatePool(site, pool, count) {
      const { pools } = await driver(site);
      if (pools === undefined) throw noOrders(site);
      const call = await adminCall(`pool/${site}/${pool}`);
      if (!(await pools.populate(pool, count, call))) throw unknownPool(site, pool);
      poolChanged(site, pool, `${count} more are made for pool ${pool} of ${site}`);
      return poolOf(site, pool);
    },

    async freePools(site, pool) {
      const open = await driver(site);
      if (open.pools === undefined) throw noOrders(site);
      const call = await adminCall(`pool/${site}/${pool ?? ''}`);
      if (!(await open.pools.free(pool, call))) throw unknownPool(site, pool ?? '');
      poolChanged(
        site,
        pool ?? '',
        pool === undefined ? `the pools of ${site} are empty` : `pool ${pool} of ${site} is empty`,
      );
      return pool === undefined ? open.poolStatus() : [await poolOf(site, pool)];
    },

    checkLink,
    linkPorts: {
      realise: realiseAt,
      drop: async (site, link, call) => (await driver(site)).fabric.removeLink(idOfLink(link), call),
      keep: keepLink,
    },

    async setLink(link) {
      await checkLink(link);
      await realise(link);
      await keepLink(link, undefined);
      return link;
    },

    async snapshot() {
      if (stale) await refresh();
      const sites = await Promise.all(
        [...opened.values()].map(async (site): Promise<Site> => {
          const print = await fingerprintOf(site.driver);
          const { config: _config, latitude, longitude, tier, ...declared } = site.declaration;
          return {
            ...declared,
            ...(latitude === undefined ? {} : { latitude }),
            ...(longitude === undefined ? {} : { longitude }),
            ...(tier === undefined ? {} : { tier }),
            hosts: print?.hosts ?? [],
            ...(print?.storage === undefined ? {} : { storage: print.storage }),
            ...(print?.balancing === undefined ? {} : { balancing: print.balancing }),
            ...(print?.qualities === undefined ? {} : { qualities: print.qualities }),
            ...(print?.crossing === undefined ? {} : { crossing: print.crossing }),
            healthy: print !== undefined,
          };
        }),
      );
      return { sites, paths: knownLinks };
    },
  };

  async function fingerprintOf(open: SiteDriver | undefined): Promise<Fingerprint | undefined> {
    try {
      return await open?.fingerprint();
    } catch (error) {
      log.warn({ site: open?.name, error: reportError(error) }, 'site gives no fingerprint');
      return undefined;
    }
  }
}

function unknownPool(site: string, name: string): SuperfluidityError {
  return new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
    reason: `site ${site} has no pool '${name}'`,
    hint: `List what there is: \`superfluidity pool list --site ${site}\`.`,
  });
}

function noOrders(site: string): SuperfluidityError {
  return new SuperfluidityError('SF-LIFECYCLE-NO-POOLS', { reason: `site ${site} takes no orders for pools` });
}

/** In one pass and one place for each sum: there may be a hundred thousand. */
function totals(hosts: readonly Host[]) {
  const sums = { capacity: { cpu: 0, memoryMiB: 0 }, used: { cpu: 0, memoryMiB: 0 } };
  for (const { cpu, memoryMiB, used } of hosts) {
    sums.capacity.cpu += cpu;
    sums.capacity.memoryMiB += memoryMiB;
    sums.used.cpu += used.cpu;
    sums.used.memoryMiB += used.memoryMiB;
  }
  return sums;
}

function mutableHost(host: Host): SiteDetail['hosts'][number] {
  return {
    ...host,
    environments: [...host.environments],
    accelerators: [...host.accelerators],
    used: { ...host.used },
  };
}
