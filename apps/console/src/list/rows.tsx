import { InnerScrollContainer, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { memo, type ReactNode, useEffect } from 'react';
import { useScrollWindow } from '../ui/scroll-window.ts';
import { nextSort, sortOf } from '../view-model/list-state.ts';
import { windowOf } from '../view-model/window.ts';
import type { Column } from './column.ts';

/** As in lists.css. */
const ROW_HEIGHT = 41;

interface RowsProps<T> {
  readonly label: string;
  readonly keyOf: (item: T) => string;
  readonly columns: readonly Column<T>[];
  readonly rowActions?: ((item: T) => ReactNode) | undefined;
  readonly actionsWidth?: 20 | 25 | undefined;
  readonly items: readonly T[];
  readonly total: number;
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly onEnd: () => void;
  readonly stale: boolean;
}

/** The rows that are seen, and blank room for the others. */
export function Rows<T>(props: RowsProps<T>) {
  const { items, columns, onEnd, rowActions } = props;
  const { frame, seen } = useScrollWindow<HTMLDivElement>();
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
              {rowActions !== undefined && (
                <Th
                  screenReaderText="Actions"
                  {...(props.actionsWidth === undefined ? {} : { width: props.actionsWidth })}
                />
              )}
            </Tr>
          </Thead>
          <Tbody>
            <Blank rows={first} columns={width} />
            {items.slice(first, last).map((item, i) => {
              const key = props.keyOf(item);
              return (
                <Row
                  key={key}
                  id={key}
                  item={item}
                  index={first + i + 2}
                  columns={columns as readonly Column<unknown>[]}
                  actions={rowActions as ((item: unknown) => ReactNode) | undefined}
                />
              );
            })}
            <Blank rows={items.length - last} columns={width} />
          </Tbody>
        </Table>
      </div>
    </InnerScrollContainer>
  );
}

/** Drawn again when what it says has changed, and not with all the others. */
const Row = memo(function Row(props: {
  readonly id: string;
  readonly item: unknown;
  readonly index: number;
  readonly columns: readonly Column<unknown>[];
  readonly actions: ((item: unknown) => ReactNode) | undefined;
}) {
  const { id, item, index, columns, actions } = props;
  return (
    <Tr aria-rowindex={index} data-row={id} className="sf-row">
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
      {actions !== undefined && (
        <Td className="sf-row__actions" isActionCell>
          {actions(item)}
        </Td>
      )}
    </Tr>
  );
});

function Blank({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ blockSize: rows * ROW_HEIGHT, padding: 0 }} />
    </tr>
  );
}
