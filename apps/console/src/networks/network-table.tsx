import type { ListedNetwork } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatCount } from '../view-model/format.ts';

const columns: readonly Column<ListedNetwork>[] = [
  {
    title: 'Network',
    sort: 'name',
    width: 20,
    cell: (one) =>
      one.of === 'service' ? (
        <Link to="/services/$name" params={{ name: one.owner }} search={{ tab: 'networks', network: one.name }}>
          {one.name}
        </Link>
      ) : (
        <Link to="/infrastructure/$site" params={{ site: one.owner }}>
          {one.name}
        </Link>
      ),
  },
  { title: 'Of', sort: 'owner', width: 25, cell: (one) => `${one.of} ${one.owner}` },
  { title: 'Prefix', sort: 'prefix', cell: (one) => <code>{one.prefix}</code> },
  { title: 'MTU', sort: 'mtu', from: 'wide', cell: (one) => one.mtu ?? '–' },
  { title: 'At sites', from: 'medium', cell: (one) => (one.sites.length === 0 ? '–' : one.sites.join(', ')) },
  { title: 'Ports', sort: 'portCount', cell: (one) => formatCount(one.portCount) },
];

const ofWhat: Filter = {
  name: 'of',
  title: 'Of',
  options: [
    ['service', 'services'],
    ['site', 'sites'],
  ],
};

/** The networks of all services, and those of segments that sites have. */
export function NetworkTable({ sites }: { readonly sites: readonly string[] }) {
  return (
    <ResourceTable
      label="Networks"
      list="listNetworks"
      keyOf={(one) => `${one.of} ${one.id}`}
      columns={columns}
      filters={[ofWhat, anyOf('site', 'Site', sites)]}
      firstSort="owner"
      searchWords="Network, service, prefix or site"
      empty={<Empty title="No networks">They come with sites, and with services that are deployed.</Empty>}
    />
  );
}
