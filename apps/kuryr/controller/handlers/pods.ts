import type { Pod } from '@superfluidity/driver-kubernetes';
import { NODE_LABEL, PORT_FINALIZER } from '../../api/port.ts';
import { isOver, nameIn, namespaceIn, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import { LIMITS } from '../limits.ts';
import type { Handler, World } from '../world.ts';
import { type Giver, podUidIn } from './giver.ts';

/**
 * A pod that is bound to a node and starts gets a KuryrPort, and loses it when it is gone or over. What lies ready for it stands in
 * the KuryrPort from its beginning. That holds itself by a finalizer, and not the pod: pods can go while no controller is there.
 */
export class PodHandler implements Handler {
  readonly name = 'pods';
  readonly #world: World;
  readonly #giver: Giver;

  constructor(world: World, giver: Giver) {
    this.#world = world;
    this.#giver = giver;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { pods, ports } = this.#world;
    const pod = pods.get(key);
    const port = ports.informer.get(key);
    if (port !== undefined && (pod === undefined || isOver(pod) || pod.metadata.uid !== podUidIn(port))) {
      if (port.metadata.deletionTimestamp === undefined) await ports.delete(port, signal);
      // It wakes us when it is gone, where another pod of the name waits.
      return undefined;
    }
    if (port !== undefined) return this.#giver.pending(key);
    if (pod === undefined || !wants(pod)) return this.#giver.leave(key);
    return this.#make(key, pod, signal);
  }

  subject(key: string): Subject | undefined {
    const pod = this.#world.pods.get(key);
    return pod === undefined ? undefined : subjectOf('v1', 'Pod', pod);
  }

  async #make(key: string, pod: Pod, signal: AbortSignal): Promise<number | undefined> {
    const { ports, events } = this.#world;
    const node = pod.spec!.nodeName!;
    const interfaces = await this.#giver.takeReady(key, pod, signal);
    const made = await ports.create(
      {
        namespace: namespaceIn(key),
        name: nameIn(key),
        labels: { [NODE_LABEL]: node },
        owner: subjectOf('v1', 'Pod', pod),
        finalizer: PORT_FINALIZER,
        spec: { podUid: pod.metadata.uid!, node },
        ...(interfaces === undefined ? {} : { status: this.#giver.statusOf(pod, interfaces) }),
      },
      signal,
    );
    if (made === undefined) return LIMITS.nameTakenMs;
    if (interfaces !== undefined) this.#giver.given(key, pod, interfaces);
    else
      events.tell(subjectOf('v1', 'Pod', pod), {
        reason: 'KuryrPortCreated',
        message: `an interface is being made for node ${node}`,
      });
    return undefined;
  }
}

/** Whose network is made by Kuryr: bound to a node, not in the node's own network, and not running yet. */
export function wants(pod: Pod): boolean {
  const { spec, status, metadata } = pod;
  const isBound = spec?.nodeName !== undefined && spec.nodeName !== '';
  const starts = status?.phase === undefined || status.phase === 'Pending';
  return isBound && spec.hostNetwork !== true && starts && metadata.deletionTimestamp === undefined;
}
