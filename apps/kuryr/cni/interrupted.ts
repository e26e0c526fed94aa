import type { EventWriter } from '../kubernetes/events.ts';
import { nameIn, namespaceIn } from '../kubernetes/objects.ts';
import type { Interrupted } from './attachments.ts';

/** On the pod: why its sandbox is made a second time. */
export function tellInterrupted(events: EventWriter, node: string, { pod, podUid }: Interrupted): void {
  const metadata = { namespace: namespaceIn(pod), name: nameIn(pod), ...(podUid === undefined ? {} : { uid: podUid }) };
  events.tell(
    { apiVersion: 'v1', kind: 'Pod', metadata },
    {
      reason: 'KuryrAddInterrupted',
      message: `ADD was not brought to its end on node ${node}: what it had plugged is removed, and the kubelet tries again`,
      warning: true,
    },
  );
}
