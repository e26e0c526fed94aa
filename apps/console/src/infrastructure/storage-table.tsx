import type { ListedStorage, StorageTier } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { formatMiB, share } from '../view-model/format.ts';

/** Fast ones first. */
export const storageNames: Readonly<Record<StorageTier['kind'], string>> = {
  memory: 'memory',
  nvme: 'NVMe',
  ssd: 'SSD',
  hdd: 'hard disk',
  network: 'network',
  unknown: 'not known',
};

const columns: readonly Column<ListedStorage>[] = [
  { title: 'Storage', sort: 'name', width: 20, cell: (one) => <strong>{one.name}</strong> },
  { title: 'Tier', sort: 'kind', width: 10, cell: (one) => storageNames[one.kind] },
  {
    title: 'Site',
    sort: 'site',
    cell: (one) => (
      <Link to="/infrastructure/$site" params={{ site: one.site }}>
        {one.site}
      </Link>
    ),
  },
  { title: 'In', from: 'wide', cell: (one) => one.host ?? one.rack ?? 'the site' },
  {
    title: 'Fill',
    sort: 'fill',
    width: 25,
    cell: (one) => (
      <Meter
        inline
        label={`Fill of ${one.name} at ${one.site}`}
        used={share(one.usedMiB, one.capacityMiB)}
        text={`${formatMiB(one.usedMiB)} of ${formatMiB(one.capacityMiB)}`}
      />
    ),
  },
  { title: 'Used by', from: 'medium', cell: (one) => usesOf(one) },
];

const USES_SHOWN = 3;

export function usesOf({ uses }: Pick<StorageTier, 'uses'>): string {
  if (uses.length === 0) return '–';
  const most = uses.toSorted((a, b) => b.mib - a.mib);
  const told = most.slice(0, USES_SHOWN).map(({ what, mib }) => `${what} ${formatMiB(mib)}`);
  return [...told, ...(most.length > USES_SHOWN ? [`${most.length - USES_SHOWN} more`] : [])].join(', ');
}

const ofKind: Filter = { name: 'kind', title: 'Tier', options: Object.entries(storageNames) };

/** By tier and by fill: of all sites, or of one. */
export function StorageTable({ site, sites = [] }: { readonly site?: string; readonly sites?: readonly string[] }) {
  return (
    <ResourceTable
      label="Storage"
      list="listStorage"
      keyOf={(one) => `${one.site}/${one.host ?? ''}/${one.name}`}
      columns={site === undefined ? columns : columns.filter(({ title }) => title !== 'Site')}
      filters={site === undefined ? [anyOf('site', 'Site', sites), ofKind] : []}
      firstSort="-fill"
      searchWords="Storage, rack, host or what uses it"
      empty={
        <Empty title="No storage is told">A site whose driver can tell its disks lists them here by itself.</Empty>
      }
      {...(site === undefined ? {} : { fixed: { site } })}
    />
  );
}
