import type { Event, Service, ServiceAnomalies } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatCount, formatDay, formatPercent, formatTime } from '../view-model/format.ts';
import { around, scoreSeries, SIGNALS } from '../view-model/scaling.ts';
import { shownService } from '../view-model/shown-service.ts';
import { ServiceChoice } from './service-choice.tsx';

const LinePlot = lazy(() => import('./line-plot.tsx'));
const NO_SERVICES: readonly Service[] = [];
const NO_EVENTS: readonly Event[] = [];

type Signal = ServiceAnomalies['signals'][number];

/** How unusual what a service does is, and what was said about it. */
export function AnomaliesTab({ asked }: { readonly asked: string | undefined }) {
  const q = useQueriesOf();
  const services = useQuery(q.services);
  const list = services.data ?? NO_SERVICES;
  const name = asked ?? shownService(list);
  const anomalies = useQuery({ ...q.anomalies(name ?? ''), enabled: name !== undefined });
  const found = anomalies.data;
  if (services.isError)
    return <Failure error={services.error} what="the services" onRetry={() => void services.refetch()} />;
  if (anomalies.isError)
    return <Failure error={anomalies.error} what="the anomalies" onRetry={() => void anomalies.refetch()} />;
  return (
    <>
      <Panel title="How unusual it is" aside={<ServiceChoice name={name} list={list} />}>
        {found !== undefined && found.signals.length > 0 ? (
          <>
            <p className="sf-insight__note">
              Each point is a window of {found.window} values. Of 100 normal windows {formatPercent(found.rate)} are
              above the threshold; {found.inARow} in a row are an alert.
            </p>
            {found.signals.map((signal) => (
              <SignalView key={signal.name} of={signal} />
            ))}
          </>
        ) : (
          found !== undefined && (
            <Empty title={found.rate === 0 ? 'Anomalies are not watched' : 'Nothing was heard of it yet'}>
              {found.rate === 0
                ? 'This server was started with “--anomalies off”.'
                : 'Detectors learn from telemetry and events of a service.'}
            </Empty>
          )
        )}
      </Panel>
      {name !== undefined && <Alerts service={name} />}
    </>
  );
}

function SignalView({ of }: { readonly of: Signal }) {
  const [title, about] = SIGNALS[of.name];
  const series = useMemo(() => scoreSeries(of), [of]);
  const lines = useMemo(
    () => [
      { label: 'score', colour: '--sf-answer-1', values: series.scores, unit: 'bits' },
      { label: 'threshold', colour: '--sf-text-subtle', dash: [6, 4], values: series.thresholds, unit: 'bits' },
      { label: 'anomaly', colour: '--sf-failed', values: series.anomalies, unit: 'bits', points: true },
    ],
    [series],
  );
  return (
    <section className="sf-insight__signal" data-signal={of.name} aria-label={title}>
      <h3>
        {title} <span className="sf-subtle">{about}</span>{' '}
        <Label isCompact color={of.state === 'watching' ? 'green' : 'grey'}>
          {of.state === 'watching'
            ? 'watching'
            : `learning: ${formatCount(Math.min(of.seen, of.needed))} of ${formatCount(of.needed)} values`}
        </Label>
        {of.drifts > 0 && <Label isCompact>{`learned anew ${of.drifts} times`}</Label>}
      </h3>
      {series.times.length > 0 && (
        <Suspense fallback={<div className="sf-insight__plot" />}>
          <LinePlot name={of.name} title="Bits a value" times={series.times} lines={lines} />
        </Suspense>
      )}
    </section>
  );
}

function Alerts({ service }: { readonly service: string }) {
  const alerts = useQuery(useQueriesOf().alerts(service));
  const list = alerts.data ?? NO_EVENTS;
  return (
    <Panel title="Alerts" aside={<span className="sf-subtle">the latest ones</span>}>
      {alerts.isError ? (
        <Failure error={alerts.error} what="the alerts" onRetry={() => void alerts.refetch()} />
      ) : list.length === 0 ? (
        alerts.isSuccess && <Empty title="No alert">What is not as it always was will be told here.</Empty>
      ) : (
        <ul className="sf-insight__alerts">
          {list.map(({ id, at, message, body }) => {
            const when = typeof body['t'] === 'number' ? body['t'] : at;
            return (
              <li key={id} data-alert={id}>
                <time dateTime={new Date(when).toISOString()}>
                  {formatDay(when)} {formatTime(when)}
                </time>
                <span>{message}</span>
                <Link to="/events" search={{ service, ...around(when) }}>
                  Events at that time
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
