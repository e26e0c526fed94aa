import type { Events } from '@superfluidity/site';
import { isUp } from './nodes.ts';
import type { Node, Pod } from './objects.ts';
import { recordOf, stateOf } from './record.ts';

/** What the change of a pod means for those who watch units. */
export function tellPod(events: Events, before: Pod | undefined, now: Pod | undefined): void {
  const unitId = (now === undefined ? undefined : recordOf(now))?.id ?? (before && recordOf(before))?.id;
  if (unitId === undefined) return;
  if (now === undefined) {
    events.emit({ kind: 'unit', unitId, state: 'stopped', reason: 'its pod is gone' });
    return;
  }
  const { state, reason } = stateOf(now);
  const last = before === undefined ? 'starting' : stateOf(before).state;
  if (state === last || state === 'starting') return;
  events.emit({ kind: 'unit', unitId, state, ...(reason === undefined ? {} : { reason }) });
}

export function tellNode(events: Events, before: Node | undefined, now: Node | undefined): void {
  const host = now?.metadata.name ?? before?.metadata.name;
  const wasUp = before !== undefined && isUp(before);
  const up = now !== undefined && isUp(now);
  if (host === undefined || wasUp === up) return;
  events.emit({ kind: 'host', host, up });
}
