import type { Operation } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';

/** What an operation is on: its service, or the link between two sites. */
export function Subject({ of: { kind, service } }: { readonly of: Pick<Operation, 'kind' | 'service'> }) {
  if (kind === 'LINK')
    return (
      <Link to="/infrastructure" search={{ tab: 'links' }}>
        {service.replace('link:', '').replace(':', ' – ')}
      </Link>
    );
  return (
    <Link to="/services/$name" params={{ name: service }}>
      {service}
    </Link>
  );
}
