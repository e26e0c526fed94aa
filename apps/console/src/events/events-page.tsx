import type { Event } from '@superfluidity/api';
import { Button, Label, PageSection, Tooltip } from '@patternfly/react-core';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { anyOf, type Column, type Filter } from '../list/column.ts';
import { ResourceTable } from '../list/resource-table.tsx';
import { formatDay, formatTime } from '../view-model/format.ts';

function Subject({ of }: { readonly of: Event }) {
  if (of.subject.startsWith('op-')) {
    return (
      <Link to="/operations/$id" params={{ id: of.subject }}>
        {of.subject}
      </Link>
    );
  }
  if (of.kind === 'site')
    return (
      <Link to="/infrastructure/$site" params={{ site: of.subject }}>
        {of.subject}
      </Link>
    );
  if (of.kind === 'service')
    return (
      <Link to="/services/$name" params={{ name: of.subject }}>
        {of.subject}
      </Link>
    );
  return <span>{of.subject}</span>;
}

const columns: readonly Column<Event>[] = [
  {
    title: 'When',
    sort: 'id',
    width: 15,
    cell: (one) => (
      <time dateTime={new Date(one.at).toISOString()}>
        {formatDay(one.at)} {formatTime(one.at)}
      </time>
    ),
  },
  {
    title: 'What',
    width: 40,
    cell: (one) => (
      <Tooltip content={one.message} entryDelay={600}>
        <span className={`sf-named sf-event--${one.severity}`}>
          {one.severity === 'error' && <ExclamationCircleIcon aria-label="error" />}
          {one.severity === 'warning' && <ExclamationTriangleIcon aria-label="warning" />}
          {one.message}
        </span>
      </Tooltip>
    ),
  },
  {
    title: 'Kind',
    from: 'medium',
    cell: (one) => (
      <Label isCompact color={one.kind === 'audit' ? 'purple' : 'grey'}>
        {one.kind}
      </Label>
    ),
  },
  { title: 'About', from: 'medium', cell: (one) => <Subject of={one} /> },
  { title: 'Service', from: 'wide', cell: (one) => one.service ?? '' },
  { title: 'Token', from: 'wide', cell: (one) => one.by ?? '' },
];

const KINDS = ['audit', 'operation', 'step', 'unit', 'service', 'site', 'descriptor', 'pool', 'scaling', 'anomaly'];
const filters: readonly Filter[] = [
  anyOf('kind', 'Kind', KINDS),
  anyOf('severity', 'Severity', ['info', 'warning', 'error']),
];

export function EventsPage() {
  const q = useQueriesOf();
  const { since, until } = useSearch({ from: '/events' });
  const navigate = useNavigate({ from: '/events' });
  // Only an admin may see which tokens there are.
  const tokens = useQuery(q.tokens).data ?? [];
  const services = useQuery(q.services).data ?? [];
  const more: Filter[] = [
    anyOf(
      'service',
      'Service',
      services.map(({ name }) => name),
    ),
    anyOf(
      'by',
      'Token',
      tokens.map(({ name }) => name),
    ),
  ];
  return (
    <>
      <PageHead
        title="Events and audit"
        about={
          <>
            Everything that happened, newest first.{' '}
            <Link to="/events" search={{ kind: 'audit' }}>
              Audit
            </Link>{' '}
            is who asked for what, with which token, and what was refused.
          </>
        }
      />
      <PageSection isFilled className="sf-fill" hasBodyWrapper={false}>
        <ResourceTable
          label="Events"
          list="listEvents"
          keyOf={(one) => String(one.id)}
          columns={columns}
          filters={[...filters, ...more.filter(({ options }) => options.length > 0)]}
          firstSort="-id"
          {...(since === undefined && until === undefined
            ? {}
            : {
                fixed: { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) },
                actions: (
                  <Button
                    variant="link"
                    onClick={() =>
                      void navigate({ search: ({ since: _since, until: _until, ...rest }) => rest, replace: true })
                    }
                  >
                    {timeWords(since, until)}: show all times
                  </Button>
                ),
              })}
          searchWords="Part of the message, or what it is about"
          empty={
            <Empty title="No events yet" command="superfluidity events --follow">
              Everything that changes is listed here, and in a terminal by
            </Empty>
          }
        />
      </PageSection>
    </>
  );
}

const timeWords = (since: string | undefined, until: string | undefined) =>
  [
    ['From', since],
    ['to', until],
  ]
    .flatMap(([word, at]) => (at === undefined ? [] : [`${word} ${formatTime(Number(at))}`]))
    .join(' ');
