import type { ListedHost } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/empty.tsx';
import { environmentNames } from '../ui/environment.tsx';
import { Meter } from '../ui/meter.tsx';
import type { Column, Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { formatCount, formatMiB, trim } from '../view-model/format.ts';

const share = (used: number, all: number) => (all > 0 ? Math.min(1, used / all) : 0);

const columns: readonly Column<ListedHost>[] = [
  { title: 'Host', sort: 'name', width: 15, cell: (one) => <strong>{one.name}</strong> },
  {
    title: 'Site',
    sort: 'site',
    width: 15,
    cell: (one) => (
      <Link to="/infrastructure/$site" params={{ site: one.site }}>
        {one.site}
      </Link>
    ),
  },
  {
    title: 'CPU',
    sort: 'cpu',
    width: 20,
    cell: (one) => (
      <Meter
        inline
        label={`CPU of ${one.name}`}
        used={share(one.used.cpu, one.cpu)}
        text={`${trim(one.used.cpu)} of ${trim(one.cpu)}`}
      />
    ),
  },
  {
    title: 'Memory',
    sort: 'memory',
    width: 20,
    from: 'medium',
    cell: (one) => (
      <Meter
        inline
        label={`Memory of ${one.name}`}
        used={share(one.used.memoryMiB, one.memoryMiB)}
        text={`${formatMiB(one.used.memoryMiB)} of ${formatMiB(one.memoryMiB)}`}
      />
    ),
  },
  { title: 'Units', sort: 'unitCount', from: 'medium', cell: (one) => formatCount(one.unitCount) },
  { title: 'Runs', from: 'wide', cell: (one) => one.environments.map((each) => environmentNames[each]).join(', ') },
  {
    title: 'Takes units',
    from: 'wide',
    cell: (one) =>
      one.schedulable ? (
        'yes'
      ) : (
        <Label isCompact color="orange">
          no
        </Label>
      ),
  },
];

const ofSites: readonly Filter[] = [
  { name: 'environment', title: 'Runs', options: Object.entries(environmentNames) },
  {
    name: 'schedulable',
    title: 'Takes units',
    options: [
      ['true', 'yes'],
      ['false', 'no'],
    ],
  },
];

/** The hosts of all sites, or of one. */
export function HostTable({ site, sites = [] }: { readonly site?: string; readonly sites?: readonly string[] }) {
  const filters =
    site === undefined
      ? [{ name: 'site', title: 'Site', options: sites.map((one) => [one, one] as const) }, ...ofSites]
      : ofSites;
  return (
    <ResourceTable
      label="Hosts"
      list="listHosts"
      keyOf={(one) => `${one.site}/${one.name}`}
      columns={site === undefined ? columns : columns.filter(({ title }) => title !== 'Site')}
      filters={filters}
      firstSort="name"
      searchWords="Host, or site/host"
      empty={<Empty title="No hosts">A site that answers tells its hosts by itself.</Empty>}
      {...(site === undefined ? {} : { fixed: { site } })}
    />
  );
}
