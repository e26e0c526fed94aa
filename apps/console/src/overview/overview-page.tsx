import type { Operation, Service, ServiceDetail, Site, SiteLink } from '@superfluidity/api';
import { FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useEvents } from '../data/live.ts';
import { useDrawnSites } from '../data/drawn-sites.ts';
import { useQueriesOf, useSites } from '../data/queries.ts';
import { AttentionStrip } from './attention-strip.tsx';
import { EventsPanel } from '../events/events-panel.tsx';
import { LatencyPanel } from '../latency/latency-panel.tsx';
import { ServiceBar } from '../service/service-bar.tsx';
import { SitePlanPanel } from '../sites/site-plan.tsx';
import { SitesPanel } from '../sites/sites-panel.tsx';
import { OperationPanel } from '../steps/operation-panel.tsx';
import { TopologyPanel } from '../topology/topology-panel.tsx';
import { shownService } from '../view-model/shown-service.ts';
import { Command } from '../ui/empty.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';

const NO_SERVICES: readonly Service[] = [];
const NO_OPERATIONS: readonly Operation[] = [];
const NO_SITES: readonly Site[] = [];
const NO_LINKS: readonly SiteLink[] = [];
const NO_UNITS: ServiceDetail['units'] = [];

/** One service over all sites, live. */
export function OverviewPage() {
  const search = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const q = useQueriesOf();
  const events = useEvents();
  const { sites } = useSites();
  const links = useQuery(q.links).data ?? NO_LINKS;
  const allSites = useQuery(q.sites).data ?? NO_SITES;
  const services = useQuery(q.services);
  const list = services.data ?? NO_SERVICES;
  const name = search.service ?? shownService(list);
  const detail = useQuery({ ...q.service(name ?? ''), enabled: name !== undefined });
  const operations = useQuery(q.operations(name)).data ?? NO_OPERATIONS;
  // A service that is gone leaves its last answer in the cache; what the server says now counts.
  const service = detail.isError ? undefined : detail.data;
  const drawn = useDrawnSites(links, service, '');
  const siteNames = useMemo(() => sites.map((site) => site.name).sort(), [sites]);
  const choose = (next: { readonly service?: string; readonly operation?: string }) => void navigate({ search: next });
  const showOperation = (operation: string | undefined) =>
    choose({ ...(name === undefined ? {} : { service: name }), ...(operation === undefined ? {} : { operation }) });

  return (
    <div className="sf-main">
      <AttentionStrip services={list} />
      {service !== undefined && (
        <ServiceBar
          service={service}
          sites={sites}
          onOperation={() => showOperation(undefined)}
          beside={<Switcher services={list} service={service.name} onService={(next) => choose({ service: next })} />}
        />
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
      <TopologyPanel {...drawn} links={links} service={service} />
      <LatencyPanel service={name} operations={operations} units={service?.units ?? NO_UNITS} sites={siteNames} />
      <EventsPanel events={events} service={name} operations={operations} />
      <OperationPanel operations={operations} chosen={search.operation} onChoose={showOperation} />
      <SitePlanPanel sites={allSites} links={links} />
      <SitesPanel sites={sites} links={links} />
    </div>
  );
}

/** Which service is shown; alone, it needs no choice. */
function Switcher(props: {
  readonly services: readonly Service[];
  readonly service: string;
  readonly onService: (name: string) => void;
}) {
  if (props.services.length < 2) return null;
  return (
    <FormSelect
      className="sf-switcher"
      aria-label="Service shown"
      value={props.service}
      onChange={(_event, value) => props.onService(value)}
    >
      {props.services.map((service) => (
        <FormSelectOption key={service.id} value={service.name} label={service.name} />
      ))}
    </FormSelect>
  );
}
