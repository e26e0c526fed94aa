import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { PagePath } from '../view-model/pages.ts';
import { Failure } from './failure.tsx';

/** The page of one thing: while it is asked for its name, when it is not there or may not be seen what that means. */
export function Found<T>(props: {
  readonly query: Pick<UseQueryResult<T>, 'data' | 'isError' | 'error' | 'refetch'>;
  /** `service`, with its name: as a refusal calls it. */
  readonly kind: string;
  readonly name: string;
  readonly list: { readonly to: PagePath; readonly title: string };
  readonly children: (value: T) => ReactNode;
}) {
  const { query, kind, name, list } = props;
  if (query.isError) {
    return (
      <Failure
        isPage
        error={query.error}
        what={`${kind} ${name}`}
        onRetry={() => void query.refetch()}
        elsewhere={<Link to={list.to}>{list.title}</Link>}
      />
    );
  }
  if (query.data === undefined) return <h1 className="sf-offscreen">{name}</h1>;
  return props.children(query.data);
}
