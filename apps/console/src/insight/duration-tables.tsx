import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Empty } from '../ui/empty.tsx';
import { durationsBy, type Measured } from '../view-model/exposition.ts';
import { formatCount, formatMs, formatPercent } from '../view-model/format.ts';
import type { OperationKpi } from '../view-model/kpi.ts';

const ms = (value: number | undefined) =>
  value === undefined ? '–' : Number.isFinite(value) ? formatMs(value) : 'beyond the scale';

/** How operations of each kind ended, and how long those took that came to their end. */
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

const ROWS_MAX = 60;

/** A histogram of the control plane, by one of its labels. */
export function DurationsTable(props: {
  readonly measured: readonly Measured[] | undefined;
  readonly histogram: string;
  readonly label: string;
  readonly title: string;
}) {
  const { measured, histogram, label, title } = props;
  if (measured === undefined) return null;
  const rows = durationsBy(measured, histogram, label);
  if (rows.length === 0) return <Empty title="Nothing was measured yet" />;
  return (
    <Table variant="compact" gridBreakPoint="" aria-label={`Durations by ${label}`}>
      <Thead>
        <Tr>
          <Th width={50}>{title}</Th>
          <Th>Times</Th>
          <Th>Mean</Th>
          <Th>95 of 100 within</Th>
        </Tr>
      </Thead>
      <Tbody>
        {rows.slice(0, ROWS_MAX).map(({ of, count, meanMs, p95Ms }) => (
          <Tr key={of} data-row={of}>
            <Td dataLabel={title} modifier="truncate">
              <code>{of}</code>
            </Td>
            <Td dataLabel="Times">{formatCount(count)}</Td>
            <Td dataLabel="Mean">{ms(meanMs)}</Td>
            <Td dataLabel="95 of 100 within">{ms(p95Ms)}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
