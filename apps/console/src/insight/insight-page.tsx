import './insight.css';
import type { Operation, Service } from '@superfluidity/api';
import { PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useLiveSamples } from '../data/live.ts';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { insightParts } from '../view-model/page-parts.ts';
import { PageTabs, TAB_CONTENT, tabOf } from '../ui/page-tabs.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatCount, formatMs } from '../view-model/format.ts';
import { operationKpis, summariseTraffic, trafficOf } from '../view-model/kpi.ts';
import { shownService } from '../view-model/shown-service.ts';
import { AnomaliesTab } from './anomalies-tab.tsx';
import { DurationsTable, KpiTable } from './duration-tables.tsx';
import { ScalingTab } from './scaling-tab.tsx';
import { ServiceChoice } from './service-choice.tsx';

const CharacterisationTab = lazy(() => import('./characterisation-tab.tsx'));
const TrafficPlot = lazy(() => import('./traffic-plot.tsx'));
const NO_SERVICES: readonly Service[] = [];
const NO_OPERATIONS: readonly Operation[] = [];
/** Each part is a tab; what other rooms find out becomes one more. */

/** How well it goes, in numbers: what users of a service get, and how quick and how sure the control plane is. */
export function InsightPage() {
  const search = useSearch({ from: '/insight' });
  const tab = tabOf(insightParts, search.tab);
  return (
    <>
      <PageHead
        title="Insight"
        about="What the users of a service get, how quick and sure operations are, and what is decided on scaling and found unusual."
      />
      <PageTabs label="Parts of the insight" tabs={insightParts} now={tab} />
      {tab === 'characterisation' ? (
        <PageSection id={TAB_CONTENT} isFilled className="sf-fill" hasBodyWrapper={false}>
          <Suspense>
            <CharacterisationTab />
          </Suspense>
        </PageSection>
      ) : (
        <PageSection id={TAB_CONTENT} className="sf-section sf-stack" hasBodyWrapper={false}>
          {tab === 'traffic' && <TrafficTab asked={search.service} />}
          {tab === 'operations' && <OperationsTab />}
          {tab === 'scaling' && <ScalingTab asked={search.service} unit={search.unit} />}
          {tab === 'anomalies' && <AnomaliesTab asked={search.service} />}
        </PageSection>
      )}
    </>
  );
}

function TrafficTab({ asked }: { readonly asked: string | undefined }) {
  const services = useQuery(useQueriesOf().services);
  const list = services.data ?? NO_SERVICES;
  const name = asked ?? shownService(list);
  const isLost = services.isSuccess && asked !== undefined && !list.some((one) => one.name === asked);
  const lost = useQuery({ ...useQueriesOf().service(asked ?? ''), enabled: isLost });
  const samples = useLiveSamples(isLost ? undefined : name);
  const traffic = useMemo(() => trafficOf(samples), [samples]);
  const { requests, answered, p50Ms, p95Ms, p99Ms } = useMemo(() => summariseTraffic(samples), [samples]);
  if (services.isError)
    return <Failure error={services.error} what="the services" onRetry={() => void services.refetch()} />;
  if (isLost && lost.isError)
    return (
      <Failure
        error={lost.error}
        what={`service ${asked}`}
        onRetry={() => void lost.refetch()}
        elsewhere={<Link to="/services">The services</Link>}
      />
    );
  if (services.isSuccess && name === undefined)
    return (
      <Empty title="No service yet" command="superfluidity deploy examples/mobile-edge">
        Figures come with the requests of its users.
      </Empty>
    );
  const figures: readonly (readonly [string, string])[] = [
    ['Requests', formatCount(requests)],
    ['Answered', requests === 0 ? '–' : `${(answered * 100).toFixed(answered === 1 ? 0 : 2)} %`],
    ['Median', ms(p50Ms)],
    ['95 of 100 within', ms(p95Ms)],
    ['99 of 100 within', ms(p99Ms)],
  ];
  return (
    <Panel title="Requests of users" aside={<ServiceChoice name={name} list={list} />}>
      {samples.length === 0 ? (
        <Empty title="No telemetry">
          A unit whose descriptor says “telemetry: true” reports every request here as it makes it.
        </Empty>
      ) : (
        <>
          <dl className="sf-figures">
            {figures.map(([title, value]) => (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <Suspense fallback={<div className="sf-insight__plot" />}>
            <TrafficPlot of="latency" traffic={traffic} />
            <TrafficPlot of="rate" traffic={traffic} />
          </Suspense>
        </>
      )}
    </Panel>
  );
}

function OperationsTab() {
  const q = useQueriesOf();
  const operations = useQuery(q.recentOperations);
  const kpis = useMemo(() => operationKpis(operations.data ?? NO_OPERATIONS), [operations.data]);
  return (
    <>
      <Panel title="Operations, by kind" aside={<span className="sf-subtle">of the last 1 000</span>}>
        {operations.isError ? (
          <Failure error={operations.error} what="the operations" onRetry={() => void operations.refetch()} />
        ) : (
          <KpiTable of={kpis} />
        )}
      </Panel>
      <Panel
        title="Steps and requests to the API"
        aside={<span className="sf-subtle">since this server was started</span>}
      >
        <DurationsTable />
      </Panel>
    </>
  );
}

const ms = (value: number | undefined) => (value === undefined ? '–' : formatMs(value));
