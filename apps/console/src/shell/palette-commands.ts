import type { Client } from '@superfluidity/api';
import { toggleTheme } from '../data/theme.ts';
import type { Command } from '../view-model/commands.ts';
import { describeOperation } from '../view-model/describe-operation.ts';
import { partsOf } from '../view-model/page-parts.ts';
import { pages } from '../view-model/pages.ts';

export type Act = Command & { readonly act: () => void };
export type Go = (to: string, search?: Readonly<Record<string, string>>) => () => void;

const FOUND_MAX = 6;

/** What the server finds by a word. Whoever may not see something finds nothing of it. */
export async function findThings(client: Client, search: string) {
  const query = { search, limit: FOUND_MAX };
  const found = async <T>(list: Promise<{ readonly items: readonly T[] }>) =>
    (await list.catch(() => NOTHING)).items as T[];
  const [services, sites, descriptors, operations, units, hosts, reports] = await Promise.all([
    found(client.call('listServices', { query })),
    found(client.call('listSites', { query })),
    found(client.call('listDescriptors', { query })),
    found(client.call('listOperations', { query })),
    // Without a word there would be any.
    search === '' ? [] : found(client.call('listUnits', { query })),
    search === '' ? [] : found(client.call('listHosts', { query })),
    search === '' ? [] : found(client.call('listCharacterisations', { query })),
  ]);
  return { services, sites, descriptors, operations, units, hosts, reports };
}

const NOTHING = { items: [] } as const;

/** Pages with their parts, in the order of the navigation. */
export const pageCommands = (go: Go): Act[] =>
  pages.flatMap((page) => [
    {
      id: `page ${page.to}`,
      title: page.title,
      about: page.about,
      group: 'Pages' as const,
      keys: `g ${page.key}`,
      act: go(page.to),
    },
    ...Object.entries(partsOf[page.to] ?? {}).map(([tab, title]) => ({
      id: `part ${page.to} ${tab}`,
      title: `${page.title}: ${title}`,
      about: `part of ${page.title}`,
      group: 'Pages' as const,
      act: go(page.to, { tab }),
    })),
  ]);

const serviceActions = [
  ['move', 'Move a function of', 'make before break'],
  ['scale', 'Scale a unit of', 'how many run'],
  ['heal', 'Heal', 'what does not run is replaced'],
  ['terminate', 'Terminate', 'stopped and removed, after a question'],
] as const;

export function foundCommands(found: Awaited<ReturnType<typeof findThings>>, go: Go): Act[] {
  return [
    ...found.services.flatMap(({ name, sites }): Act[] => [
      {
        id: `service ${name}`,
        title: name,
        about: `service on ${sites.join(', ') || 'no site'}`,
        group: 'Services',
        act: go(`/services/${name}`),
      },
      ...serviceActions.map(
        ([verb, words, about]): Act => ({
          id: `${verb} ${name}`,
          title: `${words} ${name}`,
          about,
          group: 'Actions',
          act: go(`/services/${name}`, { do: verb }),
        }),
      ),
      {
        id: `verify ${name}`,
        title: `Verify ${name}`,
        about: 'its policies, and the way of its packets',
        group: 'Actions',
        act: go('/verification', { service: name }),
      },
    ]),
    ...found.sites.map(
      ({ name, hostCount }): Act => ({
        id: `site ${name}`,
        title: name,
        about: `site, ${hostCount} hosts`,
        group: 'Sites',
        act: go(`/infrastructure/${name}`),
      }),
    ),
    ...found.units.map(
      ({ id, path, index, service, site, host }): Act => ({
        id: `unit ${id}`,
        title: `${path}#${index}`,
        about: `unit of ${service} on ${site}/${host}`,
        group: 'Units',
        act: go(`/services/${service}`, { tab: 'units', unit: id }),
      }),
    ),
    ...found.hosts.map(
      ({ name, site, unitCount }): Act => ({
        id: `host ${site}/${name}`,
        title: `${site}/${name}`,
        about: `host, ${unitCount} units`,
        group: 'Hosts',
        act: go('/infrastructure', { tab: 'hosts', search: `${site}/${name}` }),
      }),
    ),
    ...found.descriptors.flatMap(({ id, name, version, format }): Act[] => [
      {
        id: `descriptor ${id}`,
        title: name,
        about: `descriptor ${version}, ${format}`,
        group: 'Catalogue',
        act: go(`/catalogue/${id}`),
      },
      {
        id: `design ${name}`,
        title: `Design ${name}`,
        about: 'as a graph and as text',
        group: 'Actions',
        act: go('/designer', { descriptor: name }),
      },
      {
        id: `deploy ${id}`,
        title: `Plan ${name}`,
        about: `from the catalogue, ${version}`,
        group: 'Actions',
        act: go('/deploy', { descriptor: id }),
      },
    ]),
    ...found.operations.map(
      (one): Act => ({
        id: `operation ${one.id}`,
        title: describeOperation(one),
        about: `operation ${one.id}`,
        group: 'Operations',
        act: go(`/operations/${one.id}`),
      }),
    ),
    ...found.reports.map(
      ({ name, service }): Act => ({
        id: `report ${name}`,
        title: name,
        about: `characterisation of ${service}`,
        group: 'Reports',
        act: go(`/insight/characterisations/${name}`),
      }),
    ),
  ];
}

export const fixedCommands = (go: Go): Act[] => {
  const action = (id: string, title: string, about: string, act: () => void): Act => ({
    id,
    title,
    about,
    group: 'Actions',
    act,
  });
  return [
    action('add site', 'Add a site', 'with the form of its driver', go('/settings', { tab: 'sites', do: 'add' })),
    action('add user', 'Add a user', 'who signs in by a password', go('/settings', { tab: 'users', do: 'add' })),
    action('set secret', 'Set a secret', 'for sites and units', go('/settings', { tab: 'secrets', do: 'set' })),
    action('create token', 'Create a token', 'that opens the API', go('/settings', { tab: 'tokens', do: 'create' })),
    action('password', 'Change your password', 'of whoever signed in', go('/settings', { tab: 'you', do: 'password' })),
    action('design', 'Design a new service', 'from a template, a file, or nothing', go('/designer')),
    action('onboard', 'Onboard a descriptor', 'into the catalogue', go('/catalogue', { do: 'onboard' })),
    action(
      'waiting',
      'Operations that wait for you',
      'after a failed step',
      go('/operations', { state: 'FAILED_TEMP' }),
    ),
    action('ill', 'Services that are not healthy', 'and why', go('/services', { healthy: 'false' })),
    action('audit', 'Who asked for what', 'the audit', go('/events', { kind: 'audit' })),
    action('theme', 'Switch between light and dark', 'the theme', toggleTheme),
  ];
};
