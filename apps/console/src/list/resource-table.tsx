import { Button, Skeleton, Toolbar, ToolbarContent, ToolbarGroup, ToolbarItem } from '@patternfly/react-core';
import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchList, type Listed, listKey, type ListRoute } from '../data/lists.ts';
import { useClient } from '../data/session.tsx';
import { Failure } from '../ui/failure.tsx';
import { formatCount } from '../view-model/format.ts';
import { keepKnown, type ListState } from '../view-model/list-state.ts';
import { ChoiceFilter } from './choice-filter.tsx';
import type { Column, Filter } from './column.ts';
import { useListState } from './list-address.ts';
import { ListSearch } from './list-search.tsx';
import { Rows } from './rows.tsx';

interface ResourceTableProps<N extends ListRoute, T = Listed<N>> {
  readonly list: N;
  readonly label: string;
  readonly keyOf: (item: T) => string;
  readonly columns: readonly Column<T>[];
  readonly filters?: readonly Filter[];
  readonly firstSort: string;
  /** What is always filtered by, and is not in the address. */
  readonly fixed?: ListState;
  readonly searchWords?: string;
  readonly actions?: ReactNode;
  readonly rowActions?: (item: T) => ReactNode;
  /** In percent, where there are several beside each other. */
  readonly actionsWidth?: 20 | 25;
  /** Of what changes without an event. */
  readonly refreshMs?: number;
  readonly empty: ReactNode;
}

const PAGE = 100;

/**
 * The table of all lists. The server filters, sorts and pages; the address keeps what is asked for; only the rows that are
 * seen are in the page, and the next ones are fetched before the end is reached.
 */
export function ResourceTable<N extends ListRoute>(props: ResourceTableProps<N>) {
  const { filters = [], firstSort, fixed } = props;
  const client = useClient();
  const { state, change } = useListState(filters);
  const sort = state['sort'] ?? firstSort;
  const asked = (of: ListState) => {
    const query = { ...of, ...fixed, sort: of['sort'] ?? firstSort, limit: String(PAGE) };
    return infiniteQueryOptions({
      queryKey: [...listKey(props.list), query],
      queryFn: ({ pageParam }) =>
        fetchList(client, props.list, { ...query, ...(pageParam === undefined ? {} : { after: pageParam }) }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next,
    });
  };
  const list = useInfiniteQuery({
    ...asked(state),
    placeholderData: keepPreviousData,
    refetchInterval: props.refreshMs ?? false,
  });
  const cache = useQueryClient();
  const search = (words: string | undefined) => {
    // The server looks while the page goes to its new address.
    const next = keepKnown({ ...state, search: words }, [...Object.keys(state), 'search']) as ListState;
    void cache.prefetchInfiniteQuery(asked(next));
    change({ search: words });
  };
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages.at(-1)?.total;
  const filtered = Object.keys(state).some((name) => name !== 'sort');
  const more = () => {
    if (list.hasNextPage && !list.isFetchingNextPage && !list.isFetchNextPageError) void list.fetchNextPage();
  };
  return (
    <section className="sf-list" aria-label={props.label}>
      <Toolbar
        clearAllFilters={() =>
          change(Object.fromEntries(['search', ...filters.map(({ name }) => name)].map((name) => [name, undefined])))
        }
        clearFiltersButtonText="Clear all filters"
        className="sf-list__toolbar"
      >
        <ToolbarContent>
          <ToolbarItem className="sf-list__search">
            <ListSearch
              label={`Search ${props.label.toLowerCase()}`}
              words={props.searchWords ?? 'Search'}
              value={state['search'] ?? ''}
              onChange={search}
            />
          </ToolbarItem>
          <ToolbarGroup variant="filter-group">
            {filters.map((filter) => (
              <ChoiceFilter key={filter.name} filter={filter} value={state[filter.name]} onChange={change} />
            ))}
          </ToolbarGroup>
          {props.actions !== undefined && (
            <ToolbarGroup variant="action-group" align={{ default: 'alignEnd' }}>
              {props.actions}
            </ToolbarGroup>
          )}
          <ToolbarItem
            className="sf-list__total"
            {...(props.actions === undefined ? { align: { default: 'alignEnd' } } : {})}
          >
            <span aria-live="polite" data-total={total}>
              {total === undefined ? '' : `${formatCount(total)} ${filtered ? 'found' : 'in all'}`}
            </span>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {list.isError && items.length === 0 ? (
        <Failure error={list.error} what={props.label} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Waiting label={props.label} />
      ) : items.length === 0 ? (
        filtered ? (
          <div className="sf-empty">
            <h2>Nothing matches</h2>
            <p>No entry has all of what is asked for.</p>
            <Button
              variant="secondary"
              onClick={() => change(Object.fromEntries(Object.keys(state).map((name) => [name, undefined])))}
            >
              Show all
            </Button>
          </div>
        ) : (
          props.empty
        )
      ) : (
        <Rows
          {...props}
          items={items}
          total={total ?? items.length}
          sort={sort}
          onSort={(next) => change({ sort: next })}
          onEnd={more}
          stale={list.isPlaceholderData}
        />
      )}
    </section>
  );
}

function Waiting({ label }: { readonly label: string }) {
  return (
    <div className="sf-waiting" role="status" aria-label={`${label} are being fetched`}>
      {Array.from({ length: 6 }, (_, i) => (
        <Skeleton key={i} height="24px" width={`${92 - 7 * i}%`} />
      ))}
    </div>
  );
}
