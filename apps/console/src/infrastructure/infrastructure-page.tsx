import type { HostLoad, Site } from '@superfluidity/api';
import { Label, PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { unitColumns, unitFilters } from '../services/units-tab.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { Meter } from '../ui/meter.tsx';
import { PageHead } from '../ui/page-head.tsx';
import type { Column, Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { formatCount, formatMiB, trim } from '../view-model/format.ts';
import { HeatMap } from './heat-map.tsx';
import { HostTable } from './host-table.tsx';
import { PoolsTable } from './pools-table.tsx';

const NO_LOADS: readonly HostLoad[] = [];
const tabs = { sites: 'Sites', load: 'Load', hosts: 'Hosts', units: 'Units', pools: 'Pools' } as const;
type TabName = keyof typeof tabs;

const share = (used: number, all: number) => (all > 0 ? Math.min(1, used / all) : 0);

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
  {
    title: 'Health',
    cell: (one) => (
      <Label isCompact color={one.healthy ? 'green' : 'red'}>
        {one.healthy ? 'healthy' : 'not healthy'}
      </Label>
    ),
  },
  { title: 'Kind', sort: 'kind', from: 'wide', cell: (one) => one.kind },
  { title: 'Tier', sort: 'tier', from: 'wide', cell: (one) => one.tier ?? '–' },
  { title: 'Hosts', sort: 'hostCount', from: 'medium', cell: (one) => formatCount(one.hostCount) },
  { title: 'Units', sort: 'unitCount', from: 'medium', cell: (one) => formatCount(one.unitCount) },
  {
    title: 'CPU',
    sort: 'cpu',
    width: 20,
    cell: (one) => (
      <Meter
        inline
        label={`CPU of ${one.name}`}
        used={share(one.used.cpu, one.capacity.cpu)}
        text={`${trim(one.used.cpu)} of ${trim(one.capacity.cpu)}`}
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
        used={share(one.used.memoryMiB, one.capacity.memoryMiB)}
        text={`${formatMiB(one.used.memoryMiB)} of ${formatMiB(one.capacity.memoryMiB)}`}
      />
    ),
  },
];

export const siteFilters: readonly Filter[] = [
  {
    name: 'healthy',
    title: 'Health',
    options: [
      ['true', 'healthy'],
      ['false', 'not healthy'],
    ],
  },
  {
    name: 'kind',
    title: 'Kind',
    options: ['linux', 'simulated', 'openstack', 'kubernetes'].map((one) => [one, one] as const),
  },
];

/** Where things can run: sites, their hosts by load, what runs on them, and what is kept ready. */
export function InfrastructurePage() {
  const search = useSearch({ from: '/infrastructure' });
  const navigate = useNavigate({ from: '/infrastructure' });
  const q = useQueriesOf();
  const tab: TabName = search.tab !== undefined && search.tab in tabs ? (search.tab as TabName) : 'sites';
  const load = useQuery({ ...q.hostLoad, enabled: tab === 'load' });
  const sites = useQuery(q.sites);
  const names = (sites.data ?? []).map((site) => site.name);
  return (
    <>
      <PageHead title="Infrastructure" about="Sites, hosts by load, and what is kept ready in pools." />
      <PageSection type="tabs" className="sf-tabs" hasBodyWrapper={false}>
        <Tabs
          activeKey={tab}
          onSelect={(_event, key) => void navigate({ search: { tab: String(key) } })}
          aria-label="Parts of the infrastructure"
          component="nav"
        >
          {Object.entries(tabs).map(([name, title]) => (
            <Tab
              key={name}
              eventKey={name}
              tabContentId="tab-content"
              title={<TabTitleText>{title}</TabTitleText>}
              href={`/infrastructure?tab=${name}`}
              onClick={(event) => event.preventDefault()}
            />
          ))}
        </Tabs>
      </PageSection>
      <PageSection id="tab-content" isFilled className="sf-fill" hasBodyWrapper={false}>
        {tab === 'sites' && (
          <ResourceTable
            label="Sites"
            list="listSites"
            keyOf={(one) => one.name}
            columns={siteColumns}
            filters={siteFilters}
            firstSort="name"
            empty={
              <Empty title="No sites yet" command="superfluidity site add edge --kind linux">
                A site is a place where units can run: this machine, or a cloud.
              </Empty>
            }
          />
        )}
        {tab === 'load' &&
          (load.isError ? (
            <Failure error={load.error} what="the load of the hosts" onRetry={() => void load.refetch()} />
          ) : (
            <HeatMap
              loads={load.data ?? NO_LOADS}
              by={search.by === 'memory' ? 'memory' : 'cpu'}
              onBy={(by) => void navigate({ search: (before) => ({ ...before, by }) })}
            />
          ))}
        {tab === 'hosts' && <HostTable sites={names} />}
        {tab === 'units' && (
          <ResourceTable
            label="Units"
            list="listUnits"
            keyOf={(one) => one.id}
            columns={[
              unitColumns[0]!,
              { title: 'Service', sort: 'service', from: 'medium', cell: (one) => one.service },
              ...unitColumns.slice(1),
            ]}
            filters={[
              { name: 'site', title: 'Site', options: names.map((name) => [name, name] as const) },
              ...unitFilters,
            ]}
            firstSort="name"
            searchWords="Unit, service, host or id"
            empty={<Empty title="Nothing runs">Units appear here when a service is deployed.</Empty>}
          />
        )}
        {tab === 'pools' && <PoolsTable />}
      </PageSection>
    </>
  );
}
