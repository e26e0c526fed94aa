import type { Event, Operation } from '@superfluidity/api';
import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { memo, useState } from 'react';
import { useStore, type Store } from '../data/store.ts';
import { Empty } from '../ui/empty.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatTime } from '../view-model/format.ts';

/** Rows in the page; the store keeps some more. */
const ROWS_MAX = 200;

export function EventsPanel(props: {
  readonly events: Store<readonly Event[]>;
  readonly service: string | undefined;
  /** Of the service: what happens to them belongs to it. */
  readonly operations: readonly Operation[];
}) {
  const all = useStore(props.events);
  const [ownOnly, setOwnOnly] = useState(false);
  const own = new Set(props.operations.map((operation) => operation.id));
  const shown = all
    .filter((event) => !ownOnly || event.service === props.service || own.has(event.subject))
    .slice(-ROWS_MAX)
    .reverse();
  return (
    <Panel
      title="Events"
      className="sf-panel--events"
      aside={
        props.service !== undefined && (
          <ToggleGroup isCompact aria-label="Which events">
            <ToggleGroupItem text="All" isSelected={!ownOnly} onChange={() => setOwnOnly(false)} />
            <ToggleGroupItem text={props.service} isSelected={ownOnly} onChange={() => setOwnOnly(true)} />
          </ToggleGroup>
        )
      }
    >
      {shown.length === 0 ? (
        <Empty title="No events yet" command="superfluidity events --follow">
          Everything that changes is listed here, and in a terminal by
        </Empty>
      ) : (
        // A scrolling region has to be reachable by keyboard.
        <ol className="sf-events" aria-label="Events, newest first" tabIndex={0}>
          {shown.map((event) => (
            <Row key={event.id} event={event} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

const Row = memo(function Row({ event }: { readonly event: Event }) {
  return (
    <li className={`sf-event sf-event--${event.severity}`} data-event={event.id}>
      <time dateTime={new Date(event.at).toISOString()}>{formatTime(event.at)}</time>
      <span className={`sf-kind sf-kind--${event.kind}`}>{event.kind}</span>
      <span className="sf-event__message" title={event.message}>
        {event.severity === 'error' && <ExclamationCircleIcon aria-label="error" />}
        {event.severity === 'warning' && <ExclamationTriangleIcon aria-label="warning" />}
        {event.message}
      </span>
    </li>
  );
});
