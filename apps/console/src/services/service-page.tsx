import type { SiteLink } from '@superfluidity/api';
import { Card, CardBody, CardTitle, PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useQueriesOf, useSites } from '../data/queries.ts';
import { operationColumns, operationFilters } from '../operations/operation-table.tsx';
import { ServiceBar } from '../service/service-bar.tsx';
import { TopologyPanel } from '../topology/topology-panel.tsx';
import { Empty } from '../ui/empty.tsx';
import { Ago, Facts } from '../ui/facts.tsx';
import { Failure } from '../ui/failure.tsx';
import { ResourceTable } from '../list/resource-table.tsx';
import { ProofOfService } from '../verification/proof-of-service.tsx';
import { formatMs } from '../view-model/format.ts';
import { UnitsTab } from './units-tab.tsx';

const NO_LINKS: readonly SiteLink[] = [];
const tabs = ['topology', 'units', 'operations', 'verification', 'about'] as const;
const words = {
  topology: 'Topology',
  units: 'Units and logs',
  operations: 'Operations',
  verification: 'Verification',
  about: 'About',
};

/** One service, from its picture down to what each of its units prints. */
export function ServicePage() {
  const { name } = useParams({ from: '/services/$name' });
  const search = useSearch({ from: '/services/$name' });
  const navigate = useNavigate({ from: '/services/$name' });
  const q = useQueriesOf();
  const detail = useQuery(q.service(name));
  const { sites, pending, error } = useSites();
  const links = useQuery(q.links).data ?? NO_LINKS;
  const tab = tabs.find((one) => one === search.tab) ?? 'topology';
  if (detail.isError) {
    return (
      <Failure
        isPage
        error={detail.error}
        what={`service ${name}`}
        onRetry={() => void detail.refetch()}
        elsewhere={<Link to="/services">All services</Link>}
      />
    );
  }
  const service = detail.data;
  if (service === undefined) return <h1 className="sf-offscreen">{name}</h1>;
  return (
    <>
      <PageSection className="sf-page-head" hasBodyWrapper={false}>
        <ServiceBar
          // Opened anew when the palette asks for a dialog.
          key={search.do ?? ''}
          service={service}
          sites={sites}
          asked={search.do}
          onOperation={(id) => void navigate({ to: '/operations/$id', params: { id } })}
        />
      </PageSection>
      <PageSection type="tabs" className="sf-tabs" hasBodyWrapper={false}>
        <Tabs
          activeKey={tab}
          onSelect={(_event, key) => void navigate({ search: { tab: String(key) } })}
          aria-label="Parts of the service"
          component="nav"
        >
          {tabs.map((one) => (
            <Tab
              key={one}
              eventKey={one}
              tabContentId="tab-content"
              title={<TabTitleText>{words[one]}</TabTitleText>}
              href={`/services/${name}?tab=${one}`}
              onClick={(event) => event.preventDefault()}
            />
          ))}
        </Tabs>
      </PageSection>
      <PageSection
        id="tab-content"
        isFilled
        className={tab === 'about' || tab === 'verification' ? 'sf-section' : 'sf-fill'}
        hasBodyWrapper={false}
      >
        {tab === 'topology' && (
          <TopologyPanel sites={sites} links={links} service={service} pending={pending} error={error} />
        )}
        {tab === 'units' && <UnitsTab service={service.name} unit={search.unit} />}
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
        {tab === 'about' && (
          <div className="sf-cards">
            <Card>
              <CardTitle component="h2">Service</CardTitle>
              <CardBody>
                <Facts
                  of={[
                    ['Id', <code key="id">{service.id}</code>],
                    ['Version', service.version],
                    [
                      'Descriptor',
                      <Link key="descriptor" to="/catalogue/$id" params={{ id: service.descriptorId }}>
                        {service.descriptorId}
                      </Link>,
                    ],
                    ['Since', <Ago key="since" at={service.createdAt} />],
                  ]}
                />
              </CardBody>
            </Card>
            {service.chains.map((chain) => (
              <Card key={chain.name}>
                <CardTitle component="h2">Chain {chain.name}</CardTitle>
                <CardBody>
                  <Facts
                    of={[
                      ['Address', <code key="address">{chain.address}</code>],
                      ['Version', chain.version],
                      ['One way', formatMs(chain.latencyMs)],
                      [
                        'Hops',
                        <ol key="hops" className="sf-hops">
                          {chain.hops.map((hop, i) => (
                            <li key={i}>
                              {hop.site}/{hop.host} <code>{hop.sid}</code>
                            </li>
                          ))}
                        </ol>,
                      ],
                    ]}
                  />
                </CardBody>
              </Card>
            ))}
          </div>
        )}
      </PageSection>
    </>
  );
}
