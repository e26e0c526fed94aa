import type { Events } from '@superfluidity/site';
import { isUp } from './nodes.ts';
import type { Node, Pod } from './objects.ts';
import { recordOf, stateOf } from './record.ts';

/** What the change of a pod means for those who watch units. */
export function tellPod(events: Events, before: Pod | undefined, now: Pod | undefined): void {
  const record = (now === undefined ? undefined : recordOf(now)) ?? (before && recordOf(before));
  if (record === undefined) return;
  const { id: unitId, workload } = record;
  if (now === undefined) {
    // Of what has a controller it depends on whether that is still there.
    if (workload === 'pod') events.emit({ kind: 'unit', unitId, state: 'stopped', reason: 'its pod is gone' });
    return;
  }
  const { state, reason } = stateOf(now, workload);
  const last = before === undefined ? 'starting' : stateOf(before, workload).state;
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
