import type { ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../view-model/drawn-sites.ts';
import { Button, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { TimesIcon } from '@patternfly/react-icons/dist/esm/icons/times-icon';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { NoSites } from '../infrastructure/no-sites.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { Panel } from '../ui/panel.tsx';
import { preload } from '../ui/preload.ts';
import { type Layer, layerGraph, type LayerGraph, layerNames, layerOf, layers } from './core/layer-graph.ts';
import { relatedTo } from './core/related.ts';
import { sitesAround } from '../view-model/topology.ts';

const loadView = () => import('./layers-view.tsx');
const LayersView = lazy(loadView);

/** What the address says of the layers. */
export interface LayerState {
  readonly layer?: string | undefined;
  readonly selected?: string | undefined;
  /** Part of the names of the sites that are shown. */
  readonly at?: string | undefined;
}

export type LayerChoice = Layer | 'all';
const choices: readonly LayerChoice[] = ['all', 'virtual', 'overlay', 'physical'];
export const choiceOf = (asked: string | undefined): LayerChoice | undefined => choices.find((one) => one === asked);

/** Of several ways to look at a topology. `extra` comes first, as the way that is none of the layers. */
export function LayerSwitch(props: {
  readonly now: string;
  readonly extra?: readonly [value: string, words: string];
  readonly onChange: (choice: string) => void;
}) {
  const words: readonly (readonly [string, string])[] = [
    ...(props.extra === undefined ? [] : [props.extra]),
    ['all', 'All layers'],
    ...layers.map((layer) => [layer, layerNames[layer]] as const),
  ];
  return (
    <ToggleGroup aria-label="What of the topology is shown" isCompact className="sf-layer-switch">
      {words.map(([value, text]) => (
        <ToggleGroupItem
          key={value}
          text={text}
          buttonId={`layer-${value}`}
          isSelected={props.now === value}
          onChange={() => props.onChange(value)}
        />
      ))}
    </ToggleGroup>
  );
}

/** One layer, or all of them: what is chosen in one is highlighted in all. */
export function LayersPanel(props: {
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly service: ServiceDetail | undefined;
  readonly pending: boolean;
  readonly error: unknown;
  readonly choice: LayerChoice;
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
  readonly aside?: ReactNode;
  /** Of a picture without a site. */
  readonly empty?: ReactNode;
}) {
  const { sites, links, service, choice, selected } = props;
  const q = useQueriesOf();
  const overlay = useQuery({ ...q.overlay(service?.name ?? ''), enabled: service !== undefined });
  const graph = useMemo(
    () => layerGraph({ sites: sitesAround(sites, links, service), links, service, overlay: overlay.data }),
    [sites, links, service, overlay.data],
  );
  const shown = useMemo(() => (choice === 'all' ? layers : [choice]), [choice]);
  const { onSelect } = props;
  const select = useCallback((id: string | undefined) => onSelect(id), [onSelect]);
  useEffect(() => preload(loadView), []);
  return (
    <Panel title="Layers" className="sf-panel--topology" aside={props.aside}>
      {props.error !== undefined && <ErrorView error={errorBodyOf(props.error)} title="The sites cannot be shown" />}
      {overlay.error !== null && <ErrorView error={errorBodyOf(overlay.error)} title="The overlay cannot be shown" />}
      {sites.length === 0 && !props.pending && props.error === undefined && (props.empty ?? <NoSites />)}
      {sites.length > 0 && (
        <Suspense fallback={null}>
          <LayersView graph={graph} shown={shown} selected={selected} onSelect={select} />
        </Suspense>
      )}
      <Chosen graph={graph} selected={selected} onSelect={select} />
    </Panel>
  );
}

/** What is chosen, and in words what belongs to it in every layer. */
function Chosen(props: {
  readonly graph: LayerGraph;
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}) {
  const { graph, selected } = props;
  const node = graph.nodes.find(({ id }) => id === selected);
  const related = useMemo(() => relatedTo(graph, selected), [graph, selected]);
  if (node === undefined || related === undefined) return null;
  const others = graph.nodes.filter(({ id }) => id !== selected && related.has(id));
  return (
    <aside className="sf-details" aria-label={`Belongs to ${node.kind} ${node.name}`} data-chosen={node.id}>
      <header>
        <h3>
          {node.kind} {node.name}
        </h3>
        <Button variant="plain" aria-label="Close" icon={<TimesIcon />} onClick={() => props.onSelect(undefined)} />
      </header>
      <p>{node.about}</p>
      {layers.map((layer) => {
        const here = others.filter((one) => layerOf(one) === layer);
        if (here.length === 0) return null;
        return (
          <section key={layer} aria-label={layerNames[layer]}>
            <h4>{layerNames[layer]}</h4>
            <ul className="sf-related">
              {here.slice(0, RELATED_LISTED).map((one) => (
                <li key={one.id}>
                  <Button variant="link" isInline onClick={() => props.onSelect(one.id)}>
                    {one.kind} {one.name}
                  </Button>
                </li>
              ))}
              {here.length > RELATED_LISTED && <li>and {here.length - RELATED_LISTED} more</li>}
            </ul>
          </section>
        );
      })}
    </aside>
  );
}

const RELATED_LISTED = 50;
