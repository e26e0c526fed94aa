import type { ScalingDecision, Service, UnitScaling } from '@superfluidity/api';
import { FormSelect, FormSelectOption, Label } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatDay, formatTime } from '../view-model/format.ts';
import { METRICS, metricOf, scalingSeries } from '../view-model/scaling.ts';
import { shownService } from '../view-model/shown-service.ts';
import { PolicyView } from './policy-view.tsx';
import { ServiceChoice } from './service-choice.tsx';

const LinePlot = lazy(() => import('./line-plot.tsx'));
const NO_SERVICES: readonly Service[] = [];
const NO_UNITS: readonly UnitScaling[] = [];
const NO_DECISIONS: readonly ScalingDecision[] = [];

const COLOURS = {
  scaling: 'blue',
  kept: 'grey',
  recommended: 'purple',
  refused: 'orange',
  'no-data': 'yellow',
} as const;

const columns: readonly Column<ScalingDecision>[] = [
  {
    title: 'When',
    sort: 'at',
    width: 15,
    cell: ({ at }) => (
      <time dateTime={new Date(at).toISOString()}>
        {formatDay(at)} {formatTime(at)}
      </time>
    ),
  },
  {
    title: 'Outcome',
    width: 15,
    cell: ({ outcome }) => (
      <Label isCompact color={COLOURS[outcome]}>
        {outcome}
      </Label>
    ),
  },
  { title: 'Instances', width: 10, cell: ({ from, to }) => (from === to ? String(to) : `${from} → ${to}`) },
  {
    title: 'Why',
    width: 40,
    from: 'medium',
    cell: ({ reasons }) => <span title={reasons.join('; ')}>{reasons.join('; ')}</span>,
  },
  {
    title: 'Operation',
    from: 'wide',
    cell: ({ operation }) =>
      operation === undefined ? (
        ''
      ) : (
        <Link to="/operations/$id" params={{ id: operation }}>
          {operation}
        </Link>
      ),
  },
];
const filters: readonly Filter[] = [
  anyOf('outcome', 'Outcome', ['scaling', 'kept', 'recommended', 'refused', 'no-data']),
];

/** Units that scale by themselves: what was decided and why, and the policy behind it. */
export function ScalingTab(props: { readonly asked: string | undefined; readonly unit: string | undefined }) {
  const q = useQueriesOf();
  const services = useQuery(q.services);
  const list = services.data ?? NO_SERVICES;
  const name = props.asked ?? shownService(list);
  const scaling = useQuery({ ...q.scaling(name ?? ''), enabled: name !== undefined });
  const units = scaling.data ?? NO_UNITS;
  const one = units.find(({ unit }) => unit === props.unit) ?? units[0];
  if (services.isError)
    return <Failure error={services.error} what="the services" onRetry={() => void services.refetch()} />;
  if (scaling.isError)
    return <Failure error={scaling.error} what="the policies" onRetry={() => void scaling.refetch()} />;
  return (
    <>
      <Panel
        title="Scaling"
        aside={
          <div className="sf-insight__choices">
            <ServiceChoice name={name} list={list} />
            {units.length > 1 && <UnitChoice units={units} now={one?.unit} />}
          </div>
        }
      >
        {one !== undefined && name !== undefined ? (
          <Course service={name} of={one} />
        ) : (
          !scaling.isPending && (
            <Empty
              title="Nothing scales by itself here"
              command={`superfluidity service scaling set ${name ?? 'NAME'} UNIT FILE`}
            >
              A unit with “autoscale” in its descriptor does, or one that is given a policy by
            </Empty>
          )
        )}
        {name === undefined && services.isSuccess && (
          <Empty title="No service yet" command="superfluidity deploy examples/scaling/service.yaml">
            Policies come with the units of a service.
          </Empty>
        )}
      </Panel>
      {one !== undefined && (
        <Panel
          title="The policy behind it"
          beside={
            <Label isCompact color={one.state === 'active' ? 'green' : 'grey'}>
              {one.policy['recommendOnly'] === true ? 'advice alone' : one.state}
            </Label>
          }
        >
          <PolicyView of={one} />
        </Panel>
      )}
      {one !== undefined && name !== undefined && (
        <Panel title="What was decided">
          <div className="sf-insight__list">
            <ResourceTable
              label="Decisions"
              list="listScalingDecisions"
              keyOf={({ id }) => String(id)}
              columns={columns}
              filters={filters}
              fixed={{ service: name, unit: one.unit }}
              firstSort="-at"
              searchWords="Part of a reason"
              empty={<Empty title="Nothing was decided yet">The first decision comes within seconds.</Empty>}
            />
          </div>
        </Panel>
      )}
    </>
  );
}

function UnitChoice({ units, now }: { readonly units: readonly UnitScaling[]; readonly now: string | undefined }) {
  const navigate = useNavigate({ from: '/insight' });
  return (
    <FormSelect
      aria-label="Unit"
      className="sf-choice"
      value={now ?? ''}
      onChange={(_event, unit) => void navigate({ search: (before) => ({ ...before, unit }) })}
    >
      {units.map(({ unit }) => (
        <FormSelectOption key={unit} value={unit} label={unit} />
      ))}
    </FormSelect>
  );
}

/** Instances against the metric that the policy looks at. */
function Course({ service, of }: { readonly service: string; readonly of: UnitScaling }) {
  const decisions = useQuery(useQueriesOf().scalingDecisions(service, of.unit));
  const metric = metricOf(of);
  const [title, unit] = METRICS[metric] ?? [metric, ''];
  const data = decisions.data ?? NO_DECISIONS;
  const series = useMemo(() => scalingSeries(data, metric), [data, metric]);
  const lines = useMemo(
    () => [
      { label: title, colour: '--sf-answer-1', values: series.metric, unit },
      { label: 'instances', colour: '--sf-answer-0', dash: [6, 4], values: series.instances, unit: '', steps: true },
    ],
    [series, title, unit],
  );
  if (decisions.isError)
    return <Failure error={decisions.error} what="the decisions" onRetry={() => void decisions.refetch()} />;
  if (decisions.isSuccess && series.times.length === 0)
    return <Empty title="Nothing was decided yet">The first decision comes within seconds.</Empty>;
  return (
    <Suspense fallback={<div className="sf-insight__plot" />}>
      <LinePlot name="scaling" title={`${title}, and instances (dashed, right)`} times={series.times} lines={lines} />
    </Suspense>
  );
}
