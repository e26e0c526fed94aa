import type { SiteDetail } from '@superfluidity/api';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import { useSites } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { formatCount, formatPercent, hitRate, share } from '../view-model/format.ts';
import { pathOfRates, type PoolLook, poolKey, ratesOf } from './pool-history.ts';
import { usePoolHistory } from './use-pool-history.ts';

/** What is made before it is needed: how much of it is ready, and how often it was when it was asked for. */
export function PoolsTable({ of }: { readonly of?: SiteDetail }) {
  const { sites: all, pending } = useSites();
  const sites = of === undefined ? all : [of];
  const history = usePoolHistory(all);
  const rows = sites.flatMap((site) => site.pools.map((pool) => ({ site, pool })));
  if (rows.length === 0) {
    if (of === undefined && pending) return null;
    return (
      <Empty title="No pools yet">They begin to fill when a descriptor is enabled whose units ask for them.</Empty>
    );
  }
  return (
    <div className="sf-list sf-list--short">
      <Table variant="compact" gridBreakPoint="" aria-label="Pools">
        <Thead>
          <Tr>
            {of === undefined && <Th>Site</Th>}
            <Th>Pool</Th>
            <Th>Ready</Th>
            <Th>Hit rate</Th>
            <Th className="sf-from-medium">Since this page was opened</Th>
            <Th className="sf-from-medium">Asked</Th>
          </Tr>
        </Thead>
        <Tbody>
          {rows.map(({ site, pool }) => {
            const rate = hitRate(pool);
            return (
              <Tr key={`${site.name} ${pool.name}`}>
                {of === undefined && (
                  <Td dataLabel="Site">
                    <Link to="/infrastructure/$site" params={{ site: site.name }}>
                      {site.name}
                    </Link>
                  </Td>
                )}
                <Td dataLabel="Pool">{pool.name}</Td>
                <Td dataLabel="Ready">
                  <Meter
                    inline
                    stock
                    label={`${pool.name} of ${site.name}, ready`}
                    used={share(pool.ready, pool.wanted)}
                    text={`${pool.ready} of ${pool.wanted}`}
                  />
                </Td>
                <Td dataLabel="Hit rate">{rate === undefined ? 'not asked yet' : formatPercent(rate)}</Td>
                <Td dataLabel="Since this page was opened" className="sf-from-medium">
                  <RateLine looks={history.get(poolKey(site.name, pool.name)) ?? []} />
                </Td>
                <Td dataLabel="Asked" className="sf-from-medium">
                  {formatCount(pool.hits + pool.misses)}
                </Td>
              </Tr>
            );
          })}
        </Tbody>
      </Table>
    </div>
  );
}

const LINE = { width: 160, height: 26 } as const;

/** The hit rate over time: above is every request, below is none; in words for who does not see it. */
function RateLine({ looks }: { readonly looks: readonly PoolLook[] }) {
  const points = ratesOf(looks);
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
