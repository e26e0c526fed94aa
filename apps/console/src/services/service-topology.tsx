import type { ServiceDetail, SiteDetail, SiteLink } from '@superfluidity/api';
import { useCallback } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { choiceOf, LayersPanel, type LayerState, LayerSwitch } from '../layers/layers-panel.tsx';
import { TopologyPanel } from '../topology/topology-panel.tsx';

/** A service on its hosts, or by layers: which, and what is chosen, stands in the address. */
export function ServiceTopology(props: {
  readonly sites: readonly SiteDetail[];
  readonly links: readonly SiteLink[];
  readonly service: ServiceDetail;
  readonly pending: boolean;
  readonly error: unknown;
  readonly state: LayerState;
}) {
  const { state, ...rest } = props;
  const navigate = useNavigate();
  const go = useCallback(
    (changes: LayerState) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
    [navigate],
  );
  const choose = useCallback((selected: string | undefined) => go({ selected }), [go]);
  const choice = choiceOf(state.layer);
  return (
    <div className="sf-layers-frame">
      <LayerSwitch
        now={choice ?? 'hosts'}
        extra={['hosts', 'On its hosts']}
        onChange={(layer) => go({ layer: layer === 'hosts' ? undefined : layer })}
      />
      {choice === undefined ? (
        <TopologyPanel {...rest} />
      ) : (
        <LayersPanel {...rest} choice={choice} selected={state.selected} onSelect={choose} />
      )}
    </div>
  );
}
