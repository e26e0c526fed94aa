import type { Operation, Service, ServiceDetail, SiteLink } from '@superfluidity/api';
import { Alert } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useLiveEvents, useLiveSamples } from '../data/live.ts';
import { useQueriesOf, useSites } from '../data/queries.ts';
import { useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { EventsPanel } from '../events/events-panel.tsx';
import { LatencyPanel } from '../latency/latency-panel.tsx';
import { ServiceBar } from '../service/service-bar.tsx';
import { SitesPanel } from '../sites/sites-panel.tsx';
import { OperationPanel } from '../steps/operation-panel.tsx';
import { TopologyPanel } from '../topology/topology-panel.tsx';
import { ConfirmProvider } from '../ui/confirm.tsx';
import { Command } from '../ui/empty.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { Masthead } from './masthead.tsx';

const NO_SERVICES: readonly Service[] = [];
const NO_OPERATIONS: readonly Operation[] = [];
const NO_LINKS: readonly SiteLink[] = [];
const NO_UNITS: ServiceDetail['units'] = [];

/** One service over all sites, live. */
export function OverviewPage() {
  const search = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const q = useQueriesOf();
  const events = useLiveEvents(useQueryClient());
  const { sites, pending, error: sitesError } = useSites();
  const links = useQuery(q.links).data ?? NO_LINKS;
  const services = useQuery(q.services);
  const list = services.data ?? NO_SERVICES;
  const name = search.service ?? list.find((one) => one.state === 'INSTANTIATED')?.name ?? list[0]?.name;
  const detail = useQuery({ ...q.service(name ?? ''), enabled: name !== undefined });
  const operations = useQuery(q.operations(name)).data ?? NO_OPERATIONS;
  const samples = useLiveSamples(name);
  // A service that is gone leaves its last answer in the cache; what the server says now counts.
  const service = detail.isError ? undefined : detail.data;
  const siteNames = useMemo(() => sites.map((site) => site.name).sort(), [sites]);
  const choose = (next: { readonly service?: string; readonly operation?: string }) => void navigate({ search: next });
  const showOperation = (operation: string | undefined) =>
    choose({ ...(name === undefined ? {} : { service: name }), ...(operation === undefined ? {} : { operation }) });

  return (
    <ConfirmProvider>
      <Masthead services={list} service={name} onService={(next) => choose({ service: next })} />
      <main id="main" className="sf-main">
        <Silence />
        {service !== undefined && (
          <ServiceBar service={service} sites={sites} onOperation={() => showOperation(undefined)} />
        )}
        {detail.error !== null && name !== undefined && (
          <ErrorView error={errorBodyOf(detail.error)} title={`The service ${name} cannot be shown`} />
        )}
        {services.isSuccess && name === undefined && (
          <section className="sf-service">
            <h1>No service yet</h1>
            <Command text="superfluidity deploy examples/mobile-edge" />
          </section>
        )}
        <TopologyPanel sites={sites} links={links} service={service} pending={pending} error={sitesError} />
        <LatencyPanel samples={samples} operations={operations} units={service?.units ?? NO_UNITS} sites={siteNames} />
        <EventsPanel events={events} service={name} operations={operations} />
        <OperationPanel operations={operations} chosen={search.operation} onChoose={showOperation} />
        <SitesPanel sites={sites} links={links} />
      </main>
    </ConfirmProvider>
  );
}

function Silence() {
  const reachability = useStore(useSession().reachability);
  if (reachability !== 'silent') return null;
  return (
    <Alert isInline variant="warning" title="The control plane does not answer" className="sf-silence">
      What is shown is from before. The console goes on by itself when the control plane is back: npm start
    </Alert>
  );
}
