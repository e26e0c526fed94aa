import type { Operation } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';
import { Ago } from '../ui/facts.tsx';
import { Subject } from './subject.tsx';
import { AnswerLabel, OperationLabel } from '../ui/labels.tsx';
import type { Column, Filter } from '../list/column.ts';
import { describeOperation, kindWords } from '../view-model/describe-operation.ts';
import { formatMs } from '../view-model/format.ts';
import { isOver, stateWords } from '../view-model/permitted.ts';

/** Columns of the lists of operations: of all, of a service, and on the verification page. */
export const operationColumns: readonly Column<Operation>[] = [
  {
    title: 'Operation',
    sort: 'kind',
    width: 25,
    cell: (one) => (
      <Link to="/operations/$id" params={{ id: one.id }}>
        {describeOperation(one)}
      </Link>
    ),
  },
  { title: 'State', sort: 'state', width: 15, cell: (one) => <OperationLabel state={one.state} /> },
  {
    title: 'Service',
    sort: 'service',
    from: 'medium',
    cell: (one) => <Subject of={one} />,
  },
  {
    title: 'Policies',
    from: 'wide',
    cell: (one) => <AnswerLabel answer={one.policies?.realised ?? one.policies?.planned} />,
  },
  { title: 'By', from: 'wide', cell: (one) => (one.automatic ? 'the system' : 'a user') },
  { title: 'Started', sort: 'startedAt', cell: (one) => <Ago at={one.startedAt} /> },
  {
    title: 'Took',
    from: 'medium',
    cell: (one) => (isOver(one.state) ? formatMs(one.stateEnteredAt - one.startedAt) : 'under way'),
  },
];

export const operationFilters: readonly Filter[] = [
  { name: 'state', title: 'State', options: Object.entries(stateWords) },
  { name: 'kind', title: 'Kind', options: Object.entries(kindWords) },
  {
    name: 'automatic',
    title: 'By',
    options: [
      ['false', 'a user'],
      ['true', 'the system'],
    ],
  },
];
