import type { ListedPool } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';
import { anyOf, type Column } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { formatCount, formatMs, formatPercent, hitRate, share } from '../view-model/format.ts';
import { pathOfRates, ratesOf } from './pool-history.ts';

const columns: readonly Column<ListedPool>[] = [
  {
    title: 'Site',
    sort: 'site',
    cell: (one) => (
      <Link to="/infrastructure/$site" params={{ site: one.site }}>
        {one.site}
      </Link>
    ),
  },
  { title: 'Pool', sort: 'name', cell: (one) => one.name },
  {
    title: 'Ready',
    sort: 'ready',
    width: 25,
    cell: (one) => (
      <Meter
        inline
        stock
        label={`${one.name} of ${one.site}, ready`}
        used={share(one.ready, one.wanted)}
        text={`${one.ready} of ${one.wanted}`}
      />
    ),
  },
  { title: 'State', cell: (one) => <State of={one} /> },
  {
    title: 'Hit rate',
    sort: 'hitRate',
    cell: (one) => {
      const rate = hitRate(one);
      return rate === undefined ? 'not asked yet' : formatPercent(rate);
    },
  },
  { title: 'In the last hour', from: 'medium', width: 20, cell: (one) => <RateLine of={one} /> },
  { title: 'Mean wait', from: 'medium', cell: (one) => meanWait(one) },
  { title: 'Asked', sort: 'asked', from: 'medium', cell: (one) => formatCount(one.hits + one.misses) },
];

/** What is made before it is needed: how much of it is ready, and how often it was when it was asked for. */
export function PoolsTable({ sites }: { readonly sites: readonly string[] }) {
  return (
    <ResourceTable
      label="Pools"
      list="listPools"
      keyOf={(one) => `${one.site} ${one.name}`}
      columns={columns}
      filters={[anyOf('site', 'Site', sites)]}
      firstSort="site"
      searchWords="Site or pool"
      refreshMs={10_000}
      empty={
        <Empty title="No pools yet">They begin to fill when a descriptor is enabled whose units ask for them.</Empty>
      }
    />
  );
}

/** What it does, and why it is not full. */
function State({ of: { making, inUse, paused, trouble, waiting } }: { readonly of: ListedPool }) {
  if (trouble !== undefined) return <span title={trouble.hint}>{trouble.message}</span>;
  const told = [
    paused ? 'freed' : undefined,
    making > 0 ? `${formatCount(making)} in the making` : undefined,
    waiting > 0 ? `${formatCount(waiting)} waiting` : undefined,
    inUse === undefined ? undefined : `${formatCount(inUse)} in use`,
  ].filter((part) => part !== undefined);
  return <span className="sf-subtle">{told.length === 0 ? 'at rest' : told.join(', ')}</span>;
}

function meanWait({ waits: { counts, sumMs } }: ListedPool): string {
  const asked = counts.reduce((sum, count) => sum + count, 0);
  return asked === 0 ? '' : formatMs(sumMs / asked);
}

const LINE = { width: 160, height: 26 } as const;

/** The hit rate over time: above is every request, below is none; in words for who does not see it. */
function RateLine({ of }: { readonly of: ListedPool }) {
  const points = ratesOf(of.past);
  const told = points.flatMap(({ rate }) => rate ?? []);
  if (told.length === 0) return <span className="sf-subtle">nobody has asked</span>;
  const worst = told.reduce((least, rate) => Math.min(least, rate), 1);
  return (
    <svg
      className="sf-rate-line"
      role="img"
      aria-label={`Hit rate: now ${formatPercent(told.at(-1)!)}, at worst ${formatPercent(worst)}`}
      width={LINE.width}
      height={LINE.height + 4}
      viewBox={`0 -2 ${LINE.width} ${LINE.height + 4}`}
    >
      <path d={`M0 0H${LINE.width}M0 ${LINE.height}H${LINE.width}`} className="sf-rate-line__grid" />
      <path d={pathOfRates(points, LINE.width, LINE.height)} className="sf-rate-line__line" />
    </svg>
  );
}
