import { SuperfluidityError } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { CONTAINER } from './manifest.ts';
import { conditionOf, type KubeEvent, type Pod } from './objects.ts';
import { endOf, isDone, isGoing, isReady, noRoomFor } from './record.ts';
import { workloadKinds, type WorkloadName } from './workloads/kinds.ts';
import type { UnitPods } from './workloads/pods.ts';
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

export interface Launch {
  readonly world: World;
  readonly pods: UnitPods;
  readonly spec: UnitSpec;
  readonly workload: WorkloadName;
  readonly doing: string;
  readonly signal: AbortSignal;
  /** Fires with the reason when the controller of the unit may make no pod. */
  readonly refused: AbortSignal;
}

/** The pod when its health check passes, or when its work is done. What stands in the way is told in the words of the site. */
export async function awaitReady(launch: Launch): Promise<Pod> {
  const { world, pods, spec, workload, doing, signal, refused } = launch;
  const { ends } = workloadKinds[workload];
  pods.start();
  const isOver = (pod: Pod | undefined) => isStuck(pod, workload);
  // One that goes may be ready still.
  const isWell = (pod: Pod | undefined) => isStaying(pod) && (isReady(pod) || (ends && isDone(pod)));
  const runs = (pod: Pod | undefined) => isStaying(pod) && (pod.status?.phase === 'Running' || isWell(pod));
  const starting = AbortSignal.any([signal, refused, AbortSignal.timeout(LIMITS.startMs)]);
  const begun = await until(launch, (pod) => runs(pod) || isOver(pod), starting);
  if (begun === 'late') {
    const late = `its containers do not run after ${LIMITS.startMs / 1_000} s`;
    throw await failureOf(world, pods.of(spec.id), late, doing);
  }
  if (!runs(begun)) throw await failureOf(world, begun, undefined, doing);
  const limitMs = spec.execution.health?.timeoutMs ?? LIMITS.readyMs;
  const checking = AbortSignal.any([signal, refused, AbortSignal.timeout(limitMs)]);
  const ready = await until(launch, (pod) => isWell(pod) || isOver(pod), checking);
  if (ready === 'late') {
    throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', {
      doing,
      reason: `its health check did not pass within ${limitMs} ms`,
      ...(await detailOf(world, pods.of(spec.id))),
    });
  }
  if (ready !== undefined && isWell(ready)) return ready;
  throw await failureOf(world, ready, undefined, doing);
}

function isStaying(pod: Pod | undefined): pod is Pod {
  return pod !== undefined && !isGoing(pod);
}

async function until(
  { pods, spec, doing, signal, refused }: Launch,
  isOver: (pod: Pod | undefined) => boolean,
  limited: AbortSignal,
): Promise<Pod | undefined | 'late'> {
  try {
    return await pods.until(spec.id, isOver, limited);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (refused.aborted) throw refusal(doing, String(refused.reason));
    if (limited.aborted) return 'late';
    throw error;
  }
}

function refusal(doing: string, reason: string): SuperfluidityError {
  const code = /exceeded quota/.test(reason) ? 'SF-SITE-NO-CAPACITY' : 'SF-KUBE-REFUSED';
  return new SuperfluidityError(code, { doing, reason });
}

/** Whether waiting makes no sense. */
function isStuck(pod: Pod | undefined, workload: WorkloadName): boolean {
  const { replaces, group } = workloadKinds[workload];
  // A controller takes a moment for the first, and for the next one.
  if (pod === undefined || isGoing(pod)) return group === undefined;
  const { phase } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') return !replaces;
  if (noRoomFor(pod) !== undefined) return true;
  const waiting = waitingReason(pod);
  if (waiting === 'CrashLoopBackOff') return true;
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
