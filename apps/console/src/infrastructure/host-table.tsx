import type { ListedHost } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/empty.tsx';
import { environmentNames } from '../ui/environment.tsx';
import { anyOf, type Column, type Filter, yesOrNo } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { formatCount, formatMiB } from '../view-model/format.ts';
import { usageColumns } from './usage-columns.tsx';

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
  ...usageColumns<ListedHost>((one) => ({ name: one.name, used: one.used, all: one })),
  {
    title: 'Storage',
    from: 'wide',
    cell: (one) => (one.storageMiB > 0 ? `${formatMiB(one.used.storageMiB)} of ${formatMiB(one.storageMiB)}` : '–'),
  },
  {
    title: 'Rack',
    from: 'wide',
    cell: ({ rack, rackUnit }) => (rackUnit === undefined ? (rack ?? '–') : `${rack ?? ''}, ${rackUnit}`),
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
  yesOrNo('schedulable', 'Takes units', 'yes', 'no'),
];

/** The hosts of all sites, or of one. */
export function HostTable({ site, sites = [] }: { readonly site?: string; readonly sites?: readonly string[] }) {
  const filters = site === undefined ? [anyOf('site', 'Site', sites), ...ofSites] : ofSites;
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
