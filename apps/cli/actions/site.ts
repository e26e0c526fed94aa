import { join, resolve } from 'node:path';
import { schemas, type Site, type SiteDescription, type SiteDetail, type SiteLink } from '@superfluidity/api';
import { append, SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../context.ts';
import '../errors.ts';
import { writeInto } from '../files-into.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { errorText } from '../print/error.ts';
import { type Column, facts, table } from '../print/table.ts';
import { milliseconds } from '../print/values.ts';
import { readYamlFile } from '../yaml-file.ts';

export interface AddOptions {
  readonly kind?: string;
  /** Another word for it. */
  readonly driver?: string;
  readonly cloud?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly tier?: string;
  readonly cell?: readonly string[];
  readonly config?: string;
  readonly file?: string;
}

export async function add(context: Context, name: string, options: AddOptions): Promise<void> {
  const declared = options.file === undefined ? {} : await readYamlFile(options.file);
  const { tier, cell, cloud, kubeconfig, context: kubeContext } = options;
  const kind = options.kind ?? options.driver;
  const config = {
    ...(declared['config'] as object | undefined),
    ...(options.config === undefined ? {} : await readYamlFile(options.config)),
    ...(cloud === undefined ? {} : { cloud }),
    // The server may have another working folder.
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
    ...(kubeContext === undefined ? {} : { context: kubeContext }),
  };
  const declaration = schemas.siteDeclaration.safeParse({
    kind: kindOf(options),
    ...declared,
    name,
    config,
    ...(kind === undefined ? {} : { kind }),
    ...(tier === undefined ? {} : { tier }),
    ...(cell === undefined ? {} : { cells: [...cell] }),
  });
  if (!declaration.success) {
    const reason = declaration.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: `add site ${name}`, reason });
  }
  const site = await (await context.client()).call('addSite', { body: declaration.data });
  await context.show(site, () => siteText(context, site));
}

/** What the other options are for. */
function kindOf({ cloud, kubeconfig, context }: AddOptions): string {
  if (cloud !== undefined) return 'openstack';
  return kubeconfig === undefined && context === undefined ? 'linux' : 'kubernetes';
}

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listSites', { query: query as never });
  const sites = page.items;
  const share = (used: number, all: number) => `${Math.round(used * 10) / 10}/${Math.round(all * 10) / 10}`;
  await context.show(sites, () =>
    table<Site>(sites, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'KIND', value: (one) => one.kind },
      { title: 'TIER', value: (one) => one.tier },
      { title: 'HEALTH', value: (one) => (one.healthy ? 'healthy' : 'not healthy') },
      { title: 'HOSTS', value: (one) => one.hostCount, align: 'right' },
      { title: 'UNITS', value: (one) => one.unitCount, align: 'right' },
      { title: 'CPU', value: (one) => share(one.used.cpu, one.capacity.cpu), align: 'right' },
      { title: 'MEMORY MiB', value: (one) => share(one.used.memoryMiB, one.capacity.memoryMiB), align: 'right' },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, name: string): Promise<void> {
  const client = await context.client();
  const site = await client.call('getSite', { params: { name } });
  // One that cannot be asked is described by the error that it has.
  const { tables } = site.healthy ? await client.call('describeSite', { params: { name } }) : { tables: [] };
  const shown = tables.length === 0 ? site : { ...site, description: tables };
  await context.show(shown, () => [siteText(context, site), ...tables.map(describedText)].join('\n\n'));
}

/** What was asked for and what is there, each into a folder of its own: `verify diff` compares them. */
export async function dump(context: Context, name: string, { to }: { readonly to: string }): Promise<void> {
  const { intent, realised } = await (await context.client()).call('dumpSite', { params: { name } });
  const folders = Object.entries({ intent, realised }).filter(([, files]) => files.length > 0);
  const written: string[] = [];
  for (const [folder, files] of folders) append(written, await writeInto(join(to, folder), files));
  await context.show({ files: written }, () =>
    folders.map(([folder, files]) => `${files.length} files in ${join(to, folder)}`).join('\n'),
  );
}

function describedText({ title, columns, rows, note }: SiteDescription['tables'][number]): string {
  const head = note === undefined ? title : `${title} (${note})`;
  if (rows.length === 0) return head;
  const body = table(
    rows,
    columns.map((column, at) => ({ title: column.toUpperCase(), value: (row: readonly string[]) => row[at] })),
  );
  return `${head}\n${body}`;
}

const rackColumn: Column<SiteDetail['hosts'][number]> = {
  title: 'RACK',
  value: ({ rack, rackUnit }) => (rackUnit === undefined ? rack : `${rack ?? ''}/${rackUnit}`),
};

function siteText({ style }: Context, site: SiteDetail): string {
  const parts = [
    facts([
      ['name', site.name],
      ['kind', `${site.kind}${site.realPackets ? ', real packets' : ', simulated packets'}`],
      ['tier', site.tier],
      ['cells', site.cells.join(' ')],
      ['health', site.healthy ? 'healthy' : 'not healthy'],
      ['units', site.unitCount],
    ]),
    table(site.hosts, [
      { title: 'HOST', value: (one) => one.name },
      ...(site.hosts.some(({ rack }) => rack !== undefined) ? [rackColumn] : []),
      { title: 'ENVIRONMENTS', value: (one) => one.environments.join(' ') },
      { title: 'CPU', value: (one) => `${one.used.cpu}/${one.cpu}`, align: 'right' },
      { title: 'MEMORY MiB', value: (one) => `${one.used.memoryMiB}/${one.memoryMiB}`, align: 'right' },
      { title: 'TAKES UNITS', value: (one) => (one.schedulable ? 'yes' : 'no') },
    ]),
    table(site.capabilities, [
      { title: 'CAPABILITY', value: (one) => one.name },
      { title: 'PRESENT', value: (one) => (one.present ? 'yes' : 'no') },
      { title: 'NOTE', value: (one) => one.note },
    ]),
  ];
  if (site.storage !== undefined && site.storage.length > 0) {
    parts.push(
      table(site.storage, [
        { title: 'STORAGE', value: (one) => one.name },
        { title: 'KIND', value: (one) => one.kind },
        { title: 'AT', value: (one) => one.host ?? one.rack },
        {
          title: 'USED MiB',
          value: (one) => `${Math.round(one.usedMiB)}/${Math.round(one.capacityMiB)}`,
          align: 'right',
        },
        { title: 'USED BY', value: (one) => one.uses.map(({ what, mib }) => `${what}: ${mib}`).join('; ') },
      ]),
    );
  }
  if (site.pools.length > 0) {
    parts.push(
      table(site.pools, [
        { title: 'POOL', value: (one) => one.name },
        { title: 'READY', value: (one) => `${one.ready}/${one.wanted}`, align: 'right' },
        { title: 'HITS', value: (one) => one.hits, align: 'right' },
        { title: 'MISSES', value: (one) => one.misses, align: 'right' },
      ]),
    );
  }
  if (site.error !== undefined) parts.push(errorText(site.error, style));
  return parts.join('\n\n');
}

export async function remove(context: Context, name: string): Promise<void> {
  await (await context.client()).call('removeSite', { params: { name } });
  context.note(`site ${name} is removed`);
}

export async function purge(context: Context, name: string): Promise<void> {
  const result = await (await context.client()).call('purgeSite', { params: { name } });
  await context.show(result, () =>
    [...result.removed, `${result.removed.length} things removed from ${name}`].join('\n'),
  );
}

export interface LinkOptions {
  readonly latency?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly bandwidth?: number;
}

export async function link(
  context: Context,
  a: string | undefined,
  b: string | undefined,
  options: LinkOptions,
): Promise<void> {
  const client = await context.client();
  if (a !== undefined && (b === undefined || options.latency === undefined)) {
    const reason = 'a link takes two sites and --latency MS';
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'set a link', reason });
  }
  const { latency: latencyMs, jitter: jitterMs, loss, bandwidth: bandwidthMbps } = options;
  const given = { ...(jitterMs === undefined ? {} : { jitterMs }), ...(loss === undefined ? {} : { loss }) };
  const speed = bandwidthMbps === undefined ? {} : { bandwidthMbps };
  if (a === undefined || b === undefined || latencyMs === undefined) return links(context, { limit: 1_000 });
  await showLinks(context, [await client.call('setLink', { body: { a, b, latencyMs, ...given, ...speed } })]);
}

export async function links(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listLinks', { query: query as never });
  await showLinks(context, page.items);
  noteMore(context, page);
}

async function showLinks(context: Context, links: readonly SiteLink[]): Promise<void> {
  await context.show(links, () =>
    table(links, [
      { title: 'BETWEEN', value: (one) => one.a },
      { title: 'AND', value: (one) => one.b },
      { title: 'ONE WAY', value: (one) => milliseconds(one.latencyMs), align: 'right' },
      { title: 'JITTER', value: (one) => milliseconds(one.jitterMs), align: 'right' },
      { title: 'LOSS', value: (one) => `${one.loss * 100} %`, align: 'right' },
      { title: 'MBIT/S', value: (one) => one.bandwidthMbps, align: 'right' },
    ]),
  );
}

export async function kinds(context: Context): Promise<void> {
  const { siteKinds } = await (await context.client()).call('getSystem');
  await context.show(siteKinds, () =>
    [
      table(siteKinds, [
        { title: 'KIND', value: (one) => one.kind },
        { title: 'USABLE HERE', value: (one) => (one.usable ? 'yes' : 'no') },
        {
          title: 'MISSING',
          value: (one) => one.missing.map(({ name, required }) => (required ? name : `(${name})`)).join(' '),
        },
      ]),
      '',
      'In brackets: it works without, less well. The schema of the configuration is in --output json.',
    ].join('\n'),
  );
}
