import {
  Badge,
  Button,
  MenuToggle,
  SearchInput,
  Select,
  SelectList,
  SelectOption,
  Skeleton,
  Toolbar,
  ToolbarContent,
  ToolbarFilter,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import { InnerScrollContainer, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { fetchList, type Listed, listKey, type ListRoute } from '../data/lists.ts';
import { useClient } from '../data/session.tsx';
import { formatCount } from '../view-model/format.ts';
import { keepKnown, type ListState, nextSort, sortOf, toggled, valuesOf } from '../view-model/list-state.ts';
import { windowOf } from '../view-model/window.ts';
import { Failure } from './failure.tsx';

export interface Column<T> {
  readonly title: string;
  /** Field by which the server sorts. */
  readonly sort?: string;
  readonly cell: (item: T) => ReactNode;
  /** Leaves narrow windows first: `wide` below 1000 px, `medium` below 720 px. */
  readonly from?: 'medium' | 'wide';
  readonly width?: 10 | 15 | 20 | 25 | 30 | 35 | 40;
}

export interface Filter {
  readonly name: string;
  readonly title: string;
  readonly options: readonly (readonly [value: string, words: string])[];
}

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
  readonly empty: ReactNode;
}

const PAGE = 100;
/** As in table.css. */
const ROW_HEIGHT = 41;
/** The first letter is asked for at once, what is typed on after it in this time. */
const SEARCH_PAUSE_MS = 120;

/**
 * The table of all lists. The server filters, sorts and pages; the address keeps what is asked for; only the rows that are
 * seen are in the page, and the next ones are fetched before the end is reached.
 */
export function ResourceTable<N extends ListRoute>(props: ResourceTableProps<N>) {
  const { filters = [], firstSort, fixed } = props;
  const client = useClient();
  const { state, change } = useListState(filters);
  const sort = state['sort'] ?? firstSort;
  const query = { ...state, ...fixed, sort, limit: String(PAGE) };
  const list = useInfiniteQuery({
    queryKey: [...listKey(props.list), query],
    queryFn: ({ pageParam }) =>
      fetchList(client, props.list, { ...query, ...(pageParam === undefined ? {} : { after: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
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
            <Search
              label={`Search ${props.label.toLowerCase()}`}
              words={props.searchWords ?? 'Search'}
              value={state['search'] ?? ''}
              onChange={(search) => change({ search })}
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

/** In the address, so that back works and a list can be sent to a colleague. */
function useListState(filters: readonly Filter[]): {
  readonly state: ListState;
  readonly change: (changes: Readonly<Record<string, string | undefined>>) => void;
} {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const known = keepKnown(search, ['search', 'sort', ...filters.map(({ name }) => name)]);
  return {
    state: known as ListState,
    change: (changes) =>
      void navigate({ to: '.', search: ((before: object) => ({ ...before, ...changes })) as never, replace: true }),
  };
}

function Rows<N extends ListRoute>(
  props: ResourceTableProps<N> & {
    readonly items: readonly Listed<N>[];
    readonly total: number;
    readonly sort: string;
    readonly onSort: (sort: string) => void;
    readonly onEnd: () => void;
    readonly stale: boolean;
  },
) {
  const { items, columns, onEnd, rowActions } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = frame.current!;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const { first, last } = windowOf(seen, ROW_HEIGHT, items.length);
  const nearEnd = last >= items.length - 20;
  useEffect(() => {
    if (nearEnd) onEnd();
    // Asked again when rows have come, or when it was scrolled.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [nearEnd, items.length]);
  const { field, descending } = sortOf(props.sort);
  const width = columns.length + (rowActions === undefined ? 0 : 1);
  return (
    <InnerScrollContainer>
      {/* A scrolling region has to be reachable by keyboard. */}
      <div
        ref={frame}
        className={`sf-rows ${props.stale ? 'sf-rows--stale' : ''}`}
        tabIndex={0}
        role="region"
        aria-label={`${props.label}, rows`}
      >
        <Table
          variant="compact"
          isStickyHeader
          gridBreakPoint=""
          aria-label={props.label}
          aria-rowcount={props.total + 1}
        >
          <Thead>
            <Tr aria-rowindex={1}>
              {columns.map((column) => (
                <Th
                  key={column.title}
                  className={column.from === undefined ? '' : `sf-from-${column.from}`}
                  modifier="nowrap"
                  {...(column.width === undefined ? {} : { width: column.width })}
                  {...(column.sort === undefined
                    ? {}
                    : {
                        sort: {
                          columnIndex: columns.indexOf(column),
                          sortBy: {
                            index: columns.findIndex((one) => one.sort === field),
                            direction: descending ? 'desc' : 'asc',
                          },
                          onSort: () => props.onSort(nextSort(props.sort, column.sort!)),
                        },
                      })}
                >
                  {column.title}
                </Th>
              ))}
              {rowActions !== undefined && <Th screenReaderText="Actions" />}
            </Tr>
          </Thead>
          <Tbody>
            <Blank rows={first} columns={width} />
            {items.slice(first, last).map((item, i) => {
              const key = props.keyOf(item);
              return (
                <Tr key={key} aria-rowindex={first + i + 2} data-row={key} className="sf-row">
                  {columns.map((column) => (
                    <Td
                      key={column.title}
                      dataLabel={column.title}
                      modifier="truncate"
                      className={column.from === undefined ? '' : `sf-from-${column.from}`}
                    >
                      {column.cell(item)}
                    </Td>
                  ))}
                  {rowActions !== undefined && (
                    <Td className="sf-row__actions" isActionCell>
                      {rowActions(item)}
                    </Td>
                  )}
                </Tr>
              );
            })}
            <Blank rows={items.length - last} columns={width} />
          </Tbody>
        </Table>
      </div>
    </InnerScrollContainer>
  );
}

function Blank({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ blockSize: rows * ROW_HEIGHT, padding: 0 }} />
    </tr>
  );
}

function Search(props: {
  readonly label: string;
  readonly words: string;
  readonly value: string;
  readonly onChange: (value: string | undefined) => void;
}) {
  const [text, setText] = useState(props.value);
  const sent = useRef(props.value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Changed from elsewhere: back, or "clear all filters".
  useEffect(() => {
    if (props.value === sent.current) return;
    sent.current = props.value;
    setText(props.value);
  }, [props.value]);
  const typedAt = useRef(-Infinity);
  const type = (value: string, atOnce = false) => {
    setText(value);
    clearTimeout(timer.current);
    const now = performance.now();
    const pauseMs = atOnce || now - typedAt.current > 2 * SEARCH_PAUSE_MS ? 0 : SEARCH_PAUSE_MS;
    typedAt.current = now;
    timer.current = setTimeout(() => {
      sent.current = value;
      props.onChange(value === '' ? undefined : value);
    }, pauseMs);
  };
  return (
    <SearchInput
      aria-label={props.label}
      placeholder={props.words}
      value={text}
      onChange={(_event, value) => type(value)}
      onClear={() => type('', true)}
      data-list-search
    />
  );
}

function ChoiceFilter(props: {
  readonly filter: Filter;
  readonly value: string | undefined;
  readonly onChange: (changes: Readonly<Record<string, string | undefined>>) => void;
}) {
  const { filter, value, onChange } = props;
  const [open, setOpen] = useState(false);
  const chosen = valuesOf(value);
  const words = new Map(filter.options);
  const toggle = (one: string) => onChange({ [filter.name]: toggled(value, one) });
  return (
    <ToolbarFilter
      categoryName={filter.title}
      labels={chosen.map((one) => ({ key: one, node: words.get(one) ?? one }))}
      deleteLabel={(_category, label) => toggle(typeof label === 'string' ? label : label.key)}
      deleteLabelGroup={() => onChange({ [filter.name]: undefined })}
    >
      <Select
        role="menu"
        isOpen={open}
        onOpenChange={setOpen}
        selected={[...chosen]}
        onSelect={(_event, one) => toggle(String(one))}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} data-filter={filter.name}>
            {filter.title}
            {chosen.length > 0 && <Badge isRead>{chosen.length}</Badge>}
          </MenuToggle>
        )}
      >
        <SelectList>
          {filter.options.map(([one, title]) => (
            <SelectOption key={one} value={one} hasCheckbox isSelected={chosen.includes(one)}>
              {title}
            </SelectOption>
          ))}
        </SelectList>
      </Select>
    </ToolbarFilter>
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
