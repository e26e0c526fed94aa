import type { Duration } from '@superfluidity/api';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { Column, Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatCount, formatMs, formatPercent } from '../view-model/format.ts';
import type { OperationKpi } from '../view-model/kpi.ts';

const ms = (value: number | undefined) =>
  value === undefined ? '–' : Number.isFinite(value) ? formatMs(value) : 'beyond the scale';

/** How operations of each kind ended: a row for each kind that there is, with how long those took that came to their end. */
export function KpiTable({ of }: { readonly of: readonly OperationKpi[] }) {
  if (of.length === 0) return <Empty title="No operation is over yet" />;
  return (
    <Table variant="compact" gridBreakPoint="" aria-label="Operations by kind">
      <Thead>
        <Tr>
          <Th>Kind</Th>
          <Th>Over</Th>
          <Th>Completed</Th>
          <Th>Median</Th>
          <Th>95 of 100 within</Th>
        </Tr>
      </Thead>
      <Tbody>
        {of.map(({ kind, over, completed, medianMs, p95Ms }) => (
          <Tr key={kind} data-row={kind}>
            <Td dataLabel="Kind">{kind.toLowerCase()}</Td>
            <Td dataLabel="Over">{formatCount(over)}</Td>
            <Td dataLabel="Completed">{formatPercent(completed)}</Td>
            <Td dataLabel="Median">{ms(medianMs)}</Td>
            <Td dataLabel="95 of 100 within">{ms(p95Ms)}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

const columns: readonly Column<Duration>[] = [
  { title: 'What', width: 10, cell: ({ of }) => of },
  { title: 'Name', sort: 'name', width: 40, cell: ({ name }) => <code title={name}>{name}</code> },
  { title: 'Times', sort: 'count', cell: ({ count }) => formatCount(count) },
  { title: 'Mean', sort: 'meanMs', from: 'medium', cell: ({ meanMs }) => formatMs(meanMs) },
  { title: '95 of 100 within', sort: 'p95Ms', cell: ({ p95Ms }) => ms(p95Ms ?? Infinity) },
];
const filters: readonly Filter[] = [
  {
    name: 'of',
    title: 'What',
    options: [
      ['step', 'steps, by verb'],
      ['request', 'requests, by route'],
    ],
  },
];

/** Steps by verb and requests to the API by route, as the control plane has measured them. */
export function DurationsTable() {
  return (
    <div className="sf-insight__list">
      <ResourceTable
        label="Durations"
        list="listDurations"
        keyOf={({ of, name }) => `${of} ${name}`}
        columns={columns}
        filters={filters}
        firstSort="-count"
        searchWords="Verb or route"
        refreshMs={5_000}
        empty={<Empty title="Nothing was measured yet" />}
      />
    </div>
  );
}
