import type { Operation, Service, Site } from '@superfluidity/api';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { InProgressIcon } from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import { PauseCircleIcon } from '@patternfly/react-icons/dist/esm/icons/pause-circle-icon';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { type Attention, attentionOf } from '../view-model/attention.ts';

const NO_OPERATIONS: readonly Operation[] = [];
const NO_SITES: readonly Site[] = [];
const SHOWN_MAX = 4;
const icons = {
  waiting: PauseCircleIcon,
  site: ExclamationTriangleIcon,
  service: ExclamationTriangleIcon,
  running: InProgressIcon,
} as const;

/** What is failing over all services and sites, and why; nothing where all is well. */
export function AttentionStrip({ services }: { readonly services: readonly Service[] }) {
  const q = useQueriesOf();
  const operations = useQuery(q.openOperations).data ?? NO_OPERATIONS;
  const sites = useQuery(q.sites).data ?? NO_SITES;
  const found = useMemo(() => attentionOf({ operations, sites, services }), [operations, sites, services]);
  if (found.length === 0) return null;
  return (
    <ul className="sf-attention" aria-label="What needs attention">
      {found.slice(0, SHOWN_MAX).map((one) => (
        <li key={`${one.kind} ${one.id}`} className={`sf-attention--${one.kind}`} data-attention={one.kind}>
          <Item of={one} />
        </li>
      ))}
      {found.length > SHOWN_MAX && (
        <li>
          <Link to="/services" search={{ healthy: 'false' }}>
            and {found.length - SHOWN_MAX} more
          </Link>
        </li>
      )}
    </ul>
  );
}

function Item({ of }: { readonly of: Attention }) {
  const Icon = icons[of.kind];
  const text = (
    <>
      <Icon aria-hidden /> <strong>{of.name}</strong> <span>{of.why}</span>
    </>
  );
  if (of.kind === 'site')
    return (
      <Link to="/infrastructure/$site" params={{ site: of.id }}>
        {text}
      </Link>
    );
  if (of.kind === 'service')
    return (
      <Link to="/services/$name" params={{ name: of.id }}>
        {text}
      </Link>
    );
  return (
    <Link to="/operations/$id" params={{ id: of.id }}>
      {text}
    </Link>
  );
}
