import type { ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../view-model/drawn-sites.ts';
import { useCallback } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { choiceOf, LayersPanel, type LayerState, LayerSwitch } from '../layers/layers-panel.tsx';
import { NoSuchSite, SiteChoice } from '../layers/site-choice.tsx';
import { TopologyPanel } from '../topology/topology-panel.tsx';

/** A service on its hosts, or by layers: which, and what is chosen, stands in the address. */
export function ServiceTopology(props: {
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly service: ServiceDetail;
  readonly pending: boolean;
  readonly error: unknown;
  readonly state: LayerState;
  /** Sites that could be shown. */
  readonly of: number;
}) {
  const { state, of, ...rest } = props;
  const { at = '' } = state;
  const navigate = useNavigate();
  const go = useCallback(
    (changes: LayerState) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
    [navigate],
  );
  const choose = useCallback((selected: string | undefined) => go({ selected }), [go]);
  const choice = choiceOf(state.layer);
  const empty = at === '' ? {} : { empty: <NoSuchSite /> };
  return (
    <div className="sf-layers-frame">
      <div className="sf-layers-bar">
        <LayerSwitch
          now={choice ?? 'hosts'}
          extra={['hosts', 'On its hosts']}
          onChange={(layer) => go({ layer: layer === 'hosts' ? undefined : layer })}
        />
        <SiteChoice of={of} text={at} onText={(text) => go({ at: text, selected: undefined })} />
      </div>
      {choice === undefined ? (
        <TopologyPanel {...rest} {...empty} />
      ) : (
        <LayersPanel {...rest} {...empty} choice={choice} selected={state.selected} onSelect={choose} />
      )}
    </div>
  );
}
