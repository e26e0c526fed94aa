import type { Operation, Unit } from '@superfluidity/api';
import { FormSelect, FormSelectOption } from '@patternfly/react-core';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useNow } from '../data/clock.ts';
import { useLiveSamples } from '../data/live.ts';
import { Empty } from '../ui/empty.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatCount, formatMs, formatPercent } from '../view-model/format.ts';
import { answererOf, latencySeries, type LatencySummary, moveMarks, summariseLatency } from '../view-model/latency.ts';

const LatencyPlot = lazy(() => import('./latency-plot.tsx'));

const WINDOWS_S = [30, 60, 180, 600];
const POINTS_MAX = 2_000;

/** What the users of the service feel: each request's latency, by the site that answered it. */
export function LatencyPanel(props: {
  readonly service: string | undefined;
  readonly operations: readonly Operation[];
  readonly units: readonly Unit[];
  readonly sites: readonly string[];
}) {
  const { operations, units, sites } = props;
  // Here and not above: samples come ten times a second, and nothing else of the page has to be drawn for them.
  const samples = useLiveSamples(props.service);
  const [windowS, setWindowS] = useState(60);
  const now = useNow(100, samples.length > 0);
  const marks = useMemo(() => moveMarks([...operations].sort((a, b) => a.startedAt - b.startedAt)), [operations]);
  const answerer = useMemo(() => answererOf(units, sites), [units, sites]);
  // The control plane's clock counts, not the browser's: the window ends with the newest sample, or runs on from it.
  const newest = samples.at(-1)?.t ?? now;
  const toMs = Math.abs(now - newest) < 5_000 ? Math.max(now, newest) : newest;
  const fromMs = toMs - windowS * 1_000;
  const series = useMemo(
    () => latencySeries(samples, answerer, { sinceMs: fromMs - 1_000, pointsMax: POINTS_MAX }),
    [samples, answerer, fromMs],
  );
  const summary = useMemo(() => summariseLatency(samples, marks), [samples, marks]);
  return (
    <Panel
      title="Latency that users see"
      className="sf-panel--latency"
      aside={
        <>
          <ul className="sf-legend" aria-label="Legend">
            {series.answered.map(({ by }) => (
              <li key={by} className={`sf-answer--${Math.max(0, sites.indexOf(by)) % 4}`}>
                {by}
              </li>
            ))}
          </ul>
          <FormSelect
            className="sf-window"
            aria-label="Time shown"
            value={windowS}
            onChange={(_event, value) => setWindowS(Number(value))}
          >
            {WINDOWS_S.map((s) => (
              <FormSelectOption key={s} value={s} label={s < 60 ? `${s} s` : `${s / 60} min`} />
            ))}
          </FormSelect>
        </>
      }
    >
      {samples.length === 0 ? (
        <Empty title="No telemetry">
          A unit whose descriptor says “telemetry: true” reports every request here as it makes it.
        </Empty>
      ) : (
        <>
          <Figures summary={summary} />
          <Suspense fallback={<div className="sf-plot" />}>
            <LatencyPlot series={series} marks={marks} answerers={sites} fromMs={fromMs} toMs={toMs} />
          </Suspense>
        </>
      )}
    </Panel>
  );
}

function Figures({ summary }: { readonly summary: LatencySummary }) {
  const { move, nowMs } = summary;
  return (
    <dl className="sf-figures">
      <div>
        <dt>Median now</dt>
        <dd>{nowMs === undefined ? '–' : formatMs(nowMs)}</dd>
      </div>
      <div>
        <dt>Before → after move</dt>
        <dd>
          {move === undefined ? (
            <span className="sf-subtle">not moved yet</span>
          ) : (
            <>
              {formatMs(move.beforeMs)} → {formatMs(move.afterMs)}{' '}
              <small>
                {move.afterMs <= move.beforeMs ? '−' : '+'}
                {formatPercent(Math.abs(1 - move.afterMs / move.beforeMs))}
              </small>
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Failed / requests</dt>
        <dd className={summary.failed > 0 ? 'sf-figures__bad' : ''}>
          {formatCount(summary.failed)} <small>of {formatCount(summary.requests)}</small>
        </dd>
      </div>
    </dl>
  );
}
