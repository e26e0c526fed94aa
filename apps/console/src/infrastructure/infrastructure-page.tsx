import type { HostLoad } from '@superfluidity/api';
import { PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { anyOf } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { unitColumns, unitFilters } from '../services/units-tab.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { infrastructureParts } from '../view-model/page-parts.ts';
import { PageTabs, TAB_CONTENT, tabOf } from '../ui/page-tabs.tsx';
import { NetworkTable } from '../networks/network-table.tsx';
import { HeatMap } from './heat-map.tsx';
import { HostTable } from './host-table.tsx';
import { LinksTab } from './links-tab.tsx';
import { NoSites } from './no-sites.tsx';
import { PoolsTable } from './pools-table.tsx';
import { RacksTab } from './racks-tab.tsx';
import { siteColumns, useSiteFilters } from './site-columns.tsx';
import { StorageTable } from './storage-table.tsx';
import { TopologyTab } from './topology-tab.tsx';

const NO_LOADS: readonly HostLoad[] = [];

/** Where things can run: sites, their hosts by load, what runs on them, and what is kept ready. */
export function InfrastructurePage() {
  const search = useSearch({ from: '/infrastructure' });
  const navigate = useNavigate({ from: '/infrastructure' });
  const q = useQueriesOf();
  const tab = tabOf(infrastructureParts, search.tab);
  const siteFilters = useSiteFilters();
  const load = useQuery({ ...q.hostLoad, enabled: tab === 'load' });
  const sites = useQuery(q.sites);
  const names = (sites.data ?? []).map((site) => site.name);
  return (
    <>
      <PageHead
        title="Infrastructure"
        about="Sites, their racks, hosts and storage by load, what lies between sites, and what is kept ready in pools."
      />
      <PageTabs label="Parts of the infrastructure" tabs={infrastructureParts} now={tab} />
      <PageSection id={TAB_CONTENT} isFilled className="sf-fill" hasBodyWrapper={false}>
        {tab === 'sites' && (
          <ResourceTable
            label="Sites"
            list="listSites"
            keyOf={(one) => one.name}
            columns={siteColumns}
            filters={siteFilters}
            firstSort="name"
            empty={<NoSites />}
          />
        )}
        {tab === 'topology' && <TopologyTab state={search} />}
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
        {tab === 'racks' && <RacksTab state={search} sites={names} />}
        {tab === 'storage' && <StorageTable sites={names} />}
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
            filters={[anyOf('site', 'Site', names), ...unitFilters]}
            firstSort="name"
            searchWords="Unit, service, host or id"
            empty={<Empty title="Nothing runs">Units appear here when a service is deployed.</Empty>}
          />
        )}
        {tab === 'networks' && <NetworkTable sites={names} />}
        {tab === 'links' && <LinksTab />}
        {tab === 'pools' && <PoolsTable sites={names} />}
      </PageSection>
    </>
  );
}
