import type { SiteLink } from '@superfluidity/api';
import { FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useDrawnSites } from '../data/drawn-sites.ts';
import { useQueriesOf } from '../data/queries.ts';
import { choiceOf, LayersPanel, type LayerState, LayerSwitch } from '../layers/layers-panel.tsx';
import { NoSuchSite, SiteChoice } from '../layers/site-choice.tsx';

const NO_LINKS: readonly SiteLink[] = [];

/** Sites by layers, and over them the service that is chosen. */
export function TopologyTab(props: { readonly state: LayerState & { readonly service?: string | undefined } }) {
  const { layer, selected, service: name, at = '' } = props.state;
  const navigate = useNavigate();
  const go = useCallback(
    (changes: object) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
    [navigate],
  );
  const choose = useCallback((id: string | undefined) => go({ selected: id }), [go]);
  const q = useQueriesOf();
  const links = useQuery(q.links).data ?? NO_LINKS;
  const services = useQuery(q.services).data ?? [];
  const service = useQuery({ ...q.service(name ?? ''), enabled: name !== undefined });
  const shown = name === undefined ? undefined : service.data;
  const { sites, of, pending, error } = useDrawnSites(links, shown, at);
  const choice = choiceOf(layer) ?? (name === undefined ? 'physical' : 'all');
  return (
    <div className="sf-layers-frame">
      <div className="sf-layers-bar">
        <LayerSwitch now={choice} onChange={(next) => go({ layer: next })} />
        <FormSelect
          className="sf-switcher"
          aria-label="Service over the sites"
          value={name ?? ''}
          onChange={(_event, value) => go({ service: value === '' ? undefined : value, selected: undefined })}
        >
          <FormSelectOption value="" label="no service" />
          {services.map((one) => (
            <FormSelectOption key={one.id} value={one.name} label={one.name} />
          ))}
        </FormSelect>
        <SiteChoice of={of} text={at} onText={(text) => go({ at: text, selected: undefined })} />
      </div>
      <LayersPanel
        sites={sites}
        links={links}
        service={shown}
        pending={pending}
        error={error ?? service.error ?? undefined}
        choice={choice}
        selected={selected}
        onSelect={choose}
        {...(at === '' ? {} : { empty: <NoSuchSite /> })}
      />
    </div>
  );
}
