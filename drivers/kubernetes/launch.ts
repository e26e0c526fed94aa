import { SuperfluidityError } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { CONTAINER } from './manifest.ts';
import { conditionOf, type KubeEvent, type Pod } from './objects.ts';
import { endOf, isGoing, isReady } from './record.ts';
import type { ObjectWatch } from './watch.ts';
import type { World } from './world.ts';

/** What the kubelet says of a container whose image cannot be had. */
const IMAGE_TROUBLE = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
]);
/** Without which it will never start, whatever is waited for. */
const START_TROUBLE = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

/** The pod when its health check passes. What stands in the way is told in the words of the site. */
export async function awaitReady(
  world: World,
  pods: ObjectWatch<Pod>,
  spec: UnitSpec,
  name: string,
  doing: string,
  signal: AbortSignal,
): Promise<Pod> {
  pods.start();
  const starting = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.startMs)]);
  const runs = (pod: Pod | undefined) => pod?.status?.phase === 'Running';
  const begun = await until(pods, name, (pod) => runs(pod) || isStuck(pod), starting);
  if (begun === 'late') {
    if (signal.aborted) throw signal.reason;
    const last = pods.get(name);
    throw await failureOf(world, last, `its containers do not run after ${LIMITS.startMs / 1_000} s`, doing);
  }
  if (!runs(begun)) throw await failureOf(world, begun, undefined, doing);
  const limitMs = spec.execution.health?.timeoutMs ?? LIMITS.readyMs;
  const checking = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const ready = await until(pods, name, (pod) => (pod !== undefined && isReady(pod)) || isStuck(pod), checking);
  if (ready === 'late') {
    if (signal.aborted) throw signal.reason;
    throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', {
      doing,
      reason: `its health check did not pass within ${limitMs} ms`,
      ...(await detailOf(world, pods.get(name))),
    });
  }
  if (ready !== undefined && isReady(ready) && !isStuck(ready)) return ready;
  throw await failureOf(world, ready, undefined, doing);
}

async function until(
  pods: ObjectWatch<Pod>,
  name: string,
  isOver: (pod: Pod | undefined) => boolean,
  signal: AbortSignal,
): Promise<Pod | undefined | 'late'> {
  try {
    return await pods.until(name, isOver, signal);
  } catch (error) {
    if (signal.aborted) return 'late';
    throw error;
  }
}

/** Whether waiting makes no sense. */
function isStuck(pod: Pod | undefined): boolean {
  if (pod === undefined || isGoing(pod)) return true;
  const { phase } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') return true;
  if (conditionOf(pod, 'PodScheduled')?.reason === 'Unschedulable') return true;
  const waiting = waitingReason(pod);
  return waiting !== undefined && (IMAGE_TROUBLE.has(waiting) || START_TROUBLE.has(waiting));
}

function waitingReason(pod: Pod): string | undefined {
  return pod.status?.containerStatuses?.[0]?.state?.waiting?.reason;
}

/** Why a pod did not become what was wanted, with its events and the end of its output. */
export async function failureOf(
  world: World,
  pod: Pod | undefined,
  reason: string | undefined,
  doing: string,
): Promise<SuperfluidityError> {
  const detail = await detailOf(world, pod);
  if (pod === undefined || isGoing(pod)) {
    const why = reason ?? 'somebody deleted its pod';
    return new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason: why, ...detail });
  }
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.reason === 'Unschedulable') {
    const why = scheduled.message ?? 'the scheduler finds no room';
    return new SuperfluidityError('SF-SITE-NO-CAPACITY', { doing, reason: why, ...detail });
  }
  const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason !== undefined && IMAGE_TROUBLE.has(waiting.reason)) {
    const why = `${waiting.reason}: ${waiting.message ?? 'the image cannot be had'}`;
    const hint = 'Check the name of the image, and whether the nodes reach its registry and may pull from it.';
    return new SuperfluidityError('SF-SITE-IMAGE', { doing, reason: why, hint, ...detail });
  }
  const stuck = waiting?.reason === undefined ? undefined : `${waiting.reason}: ${waiting.message ?? ''}`;
  const { phase } = pod.status ?? {};
  const ended = phase === 'Failed' || phase === 'Succeeded' ? endOf(pod) : undefined;
  const why =
    reason === undefined ? (ended ?? stuck ?? 'it did not start') : [reason, stuck].filter(Boolean).join('; ');
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason: why, ...detail });
}

/** What the cluster tells people who look for the reason. */
async function detailOf(world: World, pod: Pod | undefined): Promise<{ request?: string; answer?: string }> {
  if (pod === undefined) return {};
  const { cluster } = world;
  const { name } = pod.metadata;
  const signal = world.ask();
  const fieldSelector = `involvedObject.name=${name}`;
  const [events, log] = await Promise.all([
    cluster.list<KubeEvent>(cluster.path('events'), { fieldSelector }, signal).catch(() => ({ items: [] })),
    cluster
      .text(`${cluster.path('pods', name)}/log`, { query: { container: CONTAINER, tailLines: 20 }, signal })
      .catch(() => undefined),
  ]);
  const lines = events.items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  const said = log === undefined || log === '' ? [] : ['output:', log.trimEnd()];
  const answer = [...lines, ...said].join('\n').slice(-LIMITS.tail);
  return { request: `pod ${cluster.namespace}/${name}`, ...(answer === '' ? {} : { answer }) };
}
