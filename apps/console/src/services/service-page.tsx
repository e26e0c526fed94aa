import type { ServiceDetail, SiteLink } from '@superfluidity/api';
import { PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useDrawnSites } from '../data/drawn-sites.ts';
import { useQueriesOf, useSites } from '../data/queries.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { operationColumns, operationFilters } from '../operations/operation-table.tsx';
import { ServiceBar } from '../service/service-bar.tsx';
import { Empty } from '../ui/empty.tsx';
import { Found } from '../ui/found.tsx';
import { PageTabs, TAB_CONTENT, tabOf } from '../ui/page-tabs.tsx';
import { ProofOfService } from '../verification/proof-of-service.tsx';
import { ServiceTopology } from './service-topology.tsx';
import { ServiceAbout } from './service-about.tsx';
import { UnitsTab } from './units-tab.tsx';

const NO_LINKS: readonly SiteLink[] = [];
/** It reads and writes descriptors, which is much code. */
const NetworksTab = lazy(() => import('../networks/networks-tab.tsx'));
const tabs = {
  topology: 'Topology',
  networks: 'Networks',
  units: 'Units and logs',
  operations: 'Operations',
  verification: 'Verification',
  about: 'About',
} as const;

/** One service, from its picture down to what each of its units prints. */
export function ServicePage() {
  const { name } = useParams({ from: '/services/$name' });
  const query = useQuery(useQueriesOf().service(name));
  return (
    <Found query={query} kind="service" name={name} list={{ to: '/services', title: 'All services' }}>
      {(service) => <Shown service={service} />}
    </Found>
  );
}

function Shown({ service }: { readonly service: ServiceDetail }) {
  const { name } = service;
  const search = useSearch({ from: '/services/$name' });
  const navigate = useNavigate({ from: '/services/$name' });
  const { sites } = useSites();
  const links = useQuery(useQueriesOf().links).data ?? NO_LINKS;
  const drawn = useDrawnSites(links, service, search.at ?? '');
  const tab = tabOf(tabs, search.tab);
  return (
    <>
      <PageSection className="sf-page-head" hasBodyWrapper={false}>
        <ServiceBar
          // Opened anew when the palette asks for a dialog.
          key={search.do ?? ''}
          service={service}
          sites={sites}
          asked={search.do}
          onAnswered={() =>
            void navigate({ search: (before) => ({ ...before, do: undefined }) as never, replace: true })
          }
          onOperation={(id) => void navigate({ to: '/operations/$id', params: { id } })}
        />
      </PageSection>
      <PageTabs label="Parts of the service" tabs={tabs} now={tab} />
      <PageSection
        id={TAB_CONTENT}
        isFilled
        className={tab === 'about' || tab === 'verification' ? 'sf-section' : 'sf-fill'}
        hasBodyWrapper={false}
      >
        {tab === 'topology' && <ServiceTopology {...drawn} links={links} service={service} state={search} />}
        {tab === 'networks' && (
          <Suspense fallback={null}>
            <NetworksTab
              service={service}
              sites={drawn.sites}
              links={links}
              of={drawn.of}
              at={search.at ?? ''}
              network={search.network}
              selected={search.selected}
            />
          </Suspense>
        )}
        {tab === 'units' && <UnitsTab service={service.name} unit={search.unit} show={search.show} />}
        {tab === 'operations' && (
          <ResourceTable
            label="Operations of the service"
            list="listOperations"
            keyOf={(one) => one.id}
            columns={operationColumns}
            filters={operationFilters}
            fixed={{ service: name }}
            firstSort="-startedAt"
            empty={<Empty title="Nothing was done yet" />}
          />
        )}
        {tab === 'verification' && <ProofOfService service={name} realised={false} />}
        {tab === 'about' && <ServiceAbout service={service} />}
      </PageSection>
    </>
  );
}
