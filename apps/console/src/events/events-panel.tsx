import type { Event, Operation } from '@superfluidity/api';
import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { memo, useMemo, useState } from 'react';
import { useStore, type Store } from '../data/store.ts';
import { Empty } from '../ui/empty.tsx';
import { Panel } from '../ui/panel.tsx';
import { WindowedList } from '../ui/windowed-list.tsx';
import { formatTime } from '../view-model/format.ts';

/** As in panels.css. */
const ROW_HEIGHT = 26;
const idOf = (event: Event) => event.id;

export function EventsPanel(props: {
  readonly events: Store<readonly Event[]>;
  readonly service: string | undefined;
  /** Of the service: what happens to them belongs to it. */
  readonly operations: readonly Operation[];
}) {
  const all = useStore(props.events);
  const [ownOnly, setOwnOnly] = useState(false);
  const { service, operations } = props;
  const shown = useMemo(() => {
    const own = new Set(operations.map((operation) => operation.id));
    const kept = ownOnly ? all.filter((event) => event.service === service || own.has(event.subject)) : all;
    return kept.toReversed();
  }, [all, ownOnly, service, operations]);
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
        <WindowedList
          label="Events, newest first"
          className="sf-events"
          rowHeight={ROW_HEIGHT}
          items={shown}
          keyOf={idOf}
          row={(event, place) => <Row key={event.id} event={event} {...place} />}
        />
      )}
    </Panel>
  );
}

const Row = memo(function Row({
  event,
  ...place
}: {
  readonly event: Event;
  readonly 'aria-posinset': number;
  readonly 'aria-setsize': number;
}) {
  return (
    <li className={`sf-event sf-event--${event.severity}`} data-event={event.id} {...place}>
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
