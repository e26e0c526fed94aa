import type { Operation } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';

/** What an operation is on: its service, the link between two sites, or a workflow of a site. */
export function Subject({ of: { kind, service } }: { readonly of: Pick<Operation, 'kind' | 'service'> }) {
  if (kind === 'LINK')
    return (
      <Link to="/infrastructure" search={{ tab: 'links' }}>
        {service.replace('link:', '').replace(':', ' – ')}
      </Link>
    );
  if (kind === 'WORKFLOW') return service.replace('workflow:', '').replace(':', ' – ');
  return (
    <Link to="/services/$name" params={{ name: service }}>
      {service}
    </Link>
  );
}
