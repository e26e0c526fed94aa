import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { keepKnown, type ListState } from '../view-model/list-state.ts';
import type { Filter } from './column.ts';

/** In the address, so that back works and a list can be sent to a colleague. */
export function useListState(filters: readonly Filter[]): {
  readonly state: ListState;
  readonly change: (changes: Readonly<Record<string, string | undefined>>) => void;
} {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const known = keepKnown(search, ['search', 'sort', ...filters.map(({ name }) => name)]);
  const change = useCallback(
    (changes: Readonly<Record<string, string | undefined>>) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
    [navigate],
  );
  return { state: known as ListState, change };
}
