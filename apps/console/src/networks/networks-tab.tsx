import type { ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../view-model/drawn-sites.ts';
import { Alert, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { Failure } from '../ui/failure.tsx';
import { Panel } from '../ui/panel.tsx';
import { layerGraph } from '../layers/core/layer-graph.ts';
import { SiteChoice } from '../layers/site-choice.tsx';
import { networkGraph } from '../layers/core/related.ts';
import { sitesAround } from '../view-model/topology.ts';
import { NetworkEditor } from './network-editor.tsx';
import { PushPanel } from './push-panel.tsx';
import { useNetworkDraft } from './use-network-draft.ts';

const LayersView = lazy(() => import('../layers/layers-view.tsx'));
const MergeDialog = lazy(() => import('../designer/merge-dialog.tsx'));
const SHOWN = ['virtual', 'overlay'] as const;

/** The networks of a service: one of them as a graph as it is now, and what shall become of all of them. */
export default function NetworksTab(props: {
  readonly service: ServiceDetail;
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly network: string | undefined;
  readonly selected: string | undefined;
  /** Of how many sites which are shown. */
  readonly of: number;
  readonly at: string;
}) {
  const { service, sites, links } = props;
  const navigate = useNavigate();
  const go = useCallback(
    (changes: object) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
    [navigate],
  );
  const select = useCallback((selected: string | undefined) => go({ selected }), [go]);
  const draft = useNetworkDraft(service, (id) => void navigate({ to: '/operations/$id', params: { id } }));
  const overlay = useQuery(useQueriesOf().overlay(service.name));
  const names = (service.networks ?? []).map(({ name }) => name);
  const shown = props.network !== undefined && names.includes(props.network) ? props.network : names[0];
  const graph = useMemo(() => {
    const all = layerGraph({ sites: sitesAround(sites, links, service), links, service, overlay: overlay.data });
    return shown === undefined ? undefined : networkGraph(all, shown);
  }, [sites, links, service, overlay.data, shown]);
  if (draft.source.isError)
    return <Failure error={draft.source.error} what="the descriptor" onRetry={() => void draft.source.refetch()} />;
  return (
    <div className="sf-networks">
      <Panel
        title="As it is"
        className="sf-panel--topology"
        aside={
          <>
            <SiteChoice of={props.of} text={props.at} onText={(at) => go({ at, selected: undefined })} />
            <FormSelect
              className="sf-switcher"
              aria-label="Network shown"
              value={shown ?? ''}
              onChange={(_event, network) => go({ network, selected: undefined })}
            >
              {names.length === 0 && <FormSelectOption value="" label="no network" isDisabled />}
              {names.map((name) => (
                <FormSelectOption key={name} value={name} label={name} />
              ))}
            </FormSelect>
          </>
        }
      >
        {graph !== undefined && (
          <Suspense fallback={null}>
            <LayersView graph={graph} shown={SHOWN} selected={props.selected} onSelect={select} />
          </Suspense>
        )}
      </Panel>
      <div className="sf-networks__edit">
        {draft.source.data !== undefined && !draft.isNative ? (
          <Alert
            isInline
            variant="info"
            component="h2"
            title={`The descriptor is written in ${draft.source.data.format}`}
          >
            Its networks are changed where it was written; push the new version with{' '}
            <code>superfluidity service update {service.name} FILE</code>.
          </Alert>
        ) : (
          draft.source.data !== undefined && (
            <>
              <NetworkEditor draft={draft} busy={service.busy !== undefined} />
              <PushPanel draft={draft} busy={service.busy} />
            </>
          )
        )}
      </div>
      {draft.conflict !== undefined && (
        <Suspense fallback={null}>
          <MergeDialog
            conflict={draft.conflict}
            pending={false}
            onSave={draft.takeBoth}
            onTheirs={draft.takeTheirs}
            onClose={draft.leave}
          />
        </Suspense>
      )}
    </div>
  );
}
