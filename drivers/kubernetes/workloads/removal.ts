import { LIMITS } from '../config.ts';
import { LABELS, labelValue } from '../marks.ts';
import type { Nodes } from '../nodes.ts';
import type { Pod } from '../objects.ts';
import { isGoing } from '../record.ts';
import type { World } from '../world.ts';
import { workloadKinds, type WorkloadName } from './kinds.ts';
import type { UnitPods } from './pods.ts';

export interface RemovalParts {
  readonly world: World;
  readonly nodes: Nodes;
  readonly pods: UnitPods;
}

/** How long a pod whose controller was removed may stay before it is asked again whether it has gone. */
const LOOK_MS = 2_000;

/**
 * Resolves when the object of the unit and its pods are gone: with the word of their kubelets, or without where the node is
 * lost. `workloads` are the kinds that it may be; pods of its name go in any case.
 */
export async function removeObject(
  parts: RemovalParts,
  id: string,
  workloads: readonly WorkloadName[],
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, marks } = parts.world;
  const name = marks.unitName(id);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.deleteMs)]);
  let hadController = false;
  for (const workload of workloads) {
    const { resource, group } = workloadKinds[workload];
    if (group === undefined) continue;
    const left = await cluster.delete(cluster.path(resource, name, group), undefined, signal);
    hadController ||= left !== undefined;
  }
  await removePod(parts, id, name, graceSeconds, limited);
  if (hadController || workloads.some((one) => one !== 'pod')) await removePodsOf(parts, id, graceSeconds, limited);
}

/** Those that a controller made. A pod that is not going yet has one still, which would make another. */
async function removePodsOf(parts: RemovalParts, id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
  const { world, pods } = parts;
  const { cluster, marks } = world;
  pods.start();
  const labelSelector = `${marks.selector},${LABELS.unit}=${labelValue(id)}`;
  const asked = new Set<string>();
  for (;;) {
    const { items } = await cluster.list<Pod>(cluster.path('pods'), { labelSelector }, signal);
    if (items.length === 0) return;
    for (const pod of items) pods.note(pod);
    const going = items.filter((pod) => isGoing(pod) && !asked.has(pod.metadata.uid ?? ''));
    for (const pod of going) {
      asked.add(pod.metadata.uid ?? '');
      await hasten(parts, pod, graceSeconds, signal);
    }
    if (going.length > 0) continue;
    const seen = pods.of(id);
    const soon = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
    await pods.until(id, (pod) => pod !== seen, soon).catch(() => signal.throwIfAborted());
  }
}

async function removePod(
  parts: RemovalParts,
  id: string,
  name: string,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { world, pods } = parts;
  const path = world.cluster.path('pods', name);
  const going = await world.cluster.delete<Pod>(path, graceSeconds, signal);
  if (going === undefined) return;
  await forgetIfLost(parts, going, signal);
  const { uid } = going.metadata;
  // It may have been gone before this watch heard of it.
  pods.start();
  const isGone = (pod: Pod | undefined) => pod === undefined || pod.metadata.uid !== uid;
  const left = await world.cluster.get<Pod>(path, signal);
  if (isGone(left)) return;
  pods.note(left!);
  await pods.until(id, isGone, signal);
}

async function hasten(parts: RemovalParts, pod: Pod, graceSeconds: number, signal: AbortSignal): Promise<void> {
  const { cluster } = parts.world;
  await cluster.delete(cluster.path('pods', pod.metadata.name), graceSeconds, signal);
  await forgetIfLost(parts, pod, signal);
}

async function forgetIfLost({ world, nodes }: RemovalParts, pod: Pod, signal: AbortSignal): Promise<void> {
  const node = pod.spec?.nodeName;
  if (node === undefined || !(await nodes.isLost(node, signal).catch(() => false))) return;
  // Nobody is there to say that it has ended. It may go on, on a machine that we do not reach.
  world.log.warn({ site: world.name, pod: pod.metadata.name, node }, 'removing a pod of a node that does not answer');
  await world.cluster.delete(world.cluster.path('pods', pod.metadata.name), 0, signal);
}
