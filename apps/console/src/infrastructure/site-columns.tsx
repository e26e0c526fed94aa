import type { Site } from '@superfluidity/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { type Column, type Filter, yesOrNo } from '../list/column.ts';
import { HealthLabel } from '../ui/labels.tsx';
import { formatCount } from '../view-model/format.ts';
import { usageColumns } from './usage-columns.tsx';

export const siteColumns: readonly Column<Site>[] = [
  {
    title: 'Site',
    sort: 'name',
    width: 15,
    cell: (one) => (
      <Link to="/infrastructure/$site" params={{ site: one.name }}>
        {one.name}
      </Link>
    ),
  },
  { title: 'Health', cell: (one) => <HealthLabel healthy={one.healthy} /> },
  { title: 'Kind', sort: 'kind', from: 'wide', cell: (one) => one.kind },
  { title: 'Tier', sort: 'tier', from: 'wide', cell: (one) => one.tier ?? '–' },
  { title: 'Hosts', sort: 'hostCount', from: 'medium', cell: (one) => formatCount(one.hostCount) },
  { title: 'Units', sort: 'unitCount', from: 'medium', cell: (one) => formatCount(one.unitCount) },
  ...usageColumns<Site>(({ name, used, capacity }) => ({ name, used, all: capacity })),
];

/** By the kinds of sites that this control plane can use. */
export function useSiteFilters(): readonly Filter[] {
  const kinds = useQuery(useQueriesOf().system).data?.siteKinds ?? [];
  return [
    yesOrNo('healthy', 'Health', 'healthy', 'not healthy'),
    { name: 'kind', title: 'Kind', options: kinds.map(({ kind }) => [kind, kind] as const) },
  ];
}
