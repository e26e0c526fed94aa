import type { ServiceDetail, SiteLink } from '@superfluidity/api';
import type { DrawnSite } from '../view-model/drawn-sites.ts';
import { type ReactNode, Suspense, useEffect, useMemo, useState } from 'react';
import { preload } from '../ui/preload.ts';
import { NoSites } from '../infrastructure/no-sites.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { lazyView } from '../ui/lazy-view.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatMs } from '../view-model/format.ts';
import { buildTopology, sitesAround, type Topology } from '../view-model/topology.ts';
import { UnitDetails } from './unit-details.tsx';

export const TopologyView = lazyView(() => import('./topology-view.tsx'));

export function TopologyPanel(props: {
  readonly sites: readonly DrawnSite[];
  readonly links: readonly SiteLink[];
  readonly service: ServiceDetail | undefined;
  readonly pending: boolean;
  readonly error: unknown;
  /** Of a picture without a site. */
  readonly empty?: ReactNode;
}) {
  const { sites, links, service } = props;
  const topology = useMemo(
    () => buildTopology({ sites: sitesAround(sites, links, service), links, service }),
    [sites, links, service],
  );
  const [selectedId, setSelectedId] = useState<string>();
  // Its code comes while the sites are being asked for, not after they have answered.
  useEffect(() => preload(TopologyView.load), []);
  const selected = service?.units.find((unit) => unit.id === selectedId);
  return (
    <Panel title="Topology" className="sf-panel--topology" aside={<Chains topology={topology} />}>
      {props.error !== undefined && <ErrorView error={errorBodyOf(props.error)} title="The sites cannot be shown" />}
      {sites.length === 0 && !props.pending && props.error === undefined && (props.empty ?? <NoSites />)}
      {sites.length > 0 && (
        <Suspense fallback={null}>
          <TopologyView topology={topology} selected={selected?.id} onSelect={setSelectedId} />
        </Suspense>
      )}
      {service !== undefined && selected !== undefined && (
        <UnitDetails
          key={selected.id}
          service={service.name}
          unit={selected}
          onClose={() => setSelectedId(undefined)}
        />
      )}
    </Panel>
  );
}

function Chains({ topology }: { readonly topology: Topology }) {
  return (
    <ul className="sf-chains" aria-label="Service chains">
      {topology.chains.map((chain) => (
        <li key={chain.name} title={chain.hops.map((hop) => `${hop.role} (${hop.site})`).join(' → ')}>
          <svg width="26" height="8" aria-hidden="true" className={`sf-chain sf-chain--${chain.colour % 5}`}>
            <path d="M1 4H25" className="sf-chain__line" />
          </svg>
          <strong>{chain.name}</strong>
          <span>
            {chain.hops.length} hops · {formatMs(chain.latencyMs)} one way
          </span>
        </li>
      ))}
    </ul>
  );
}
