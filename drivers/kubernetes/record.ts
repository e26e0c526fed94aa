import { reportError, SuperfluidityError } from '@superfluidity/core';
import { portSid, type PortSpec, type PortStatus } from '@superfluidity/fabric';
import { type Environment, environments } from '@superfluidity/model';
import type { UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { z } from 'zod';
import { ANNOTATIONS } from './marks.ts';
import { conditionOf, type KubeObject, type Pod, type Terminated } from './objects.ts';
import { workloadKinds, type WorkloadName, workloadNames } from './workloads/kinds.ts';

const content = z.object({
  id: z.string(),
  service: z.string(),
  path: z.string(),
  index: z.number(),
  host: z.string(),
  environment: z.enum(environments),
  workload: z.enum(workloadNames).default('pod'),
  digest: z.string(),
  cpu: z.number(),
  memoryMiB: z.number(),
  graceSeconds: z.number(),
  ports: z.array(z.object({ id: z.string(), name: z.string(), network: z.string() })),
});

/** What a pod says of its unit, in an annotation. */
export interface UnitRecord {
  readonly id: string;
  readonly service: string;
  readonly path: string;
  readonly index: number;
  readonly host: string;
  readonly environment: Environment;
  /** What it is in the cluster. */
  readonly workload: WorkloadName;
  /** Of all that was asked for. */
  readonly digest: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** How long it may take to finish when it is drained. */
  readonly graceSeconds: number;
  readonly ports: readonly Pick<PortSpec, 'id' | 'name' | 'network'>[];
}

export function recordFor(spec: UnitSpec, workload: WorkloadName, digest: string, graceSeconds: number): UnitRecord {
  const { id, service, path, index, host, cpu, memoryMiB } = spec;
  const ports = spec.ports.map((port) => ({ id: port.id, name: port.name, network: port.network }));
  const { environment } = spec.execution;
  return { id, service, path, index, host, environment, workload, digest, cpu, memoryMiB, graceSeconds, ports };
}

/** Undefined for an object whose annotation somebody took away or damaged: purge finds it by its labels. */
export function recordOf(object: KubeObject): UnitRecord | undefined {
  const text = object.metadata.annotations?.[ANNOTATIONS.spec];
  if (text === undefined) return undefined;
  try {
    return content.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function isGoing(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether it was ready once. */
export function wasReady(pod: Pod): boolean {
  return pod.metadata.annotations?.[ANNOTATIONS.mac] !== undefined;
}

export function isReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && conditionOf(pod, 'Ready')?.status === 'True';
}

interface State {
  readonly state: UnitState;
  readonly reason?: string;
}

export function stateOf(pod: Pod, workload: WorkloadName): State {
  if (isGoing(pod)) return { state: 'draining' };
  const over = endedState(pod, workload);
  if (over !== undefined) return over;
  const stuck = workloadKinds[workload].replaces ? stuckState(pod) : undefined;
  if (stuck !== undefined) return stuck;
  if (!wasReady(pod)) return { state: 'starting' };
  if (isReady(pod)) return { state: 'running' };
  const { message, reason } = conditionOf(pod, 'Ready') ?? {};
  return { state: 'failed', reason: message ?? reason ?? 'it is not ready any more' };
}

/** Whether its program has ended, and nothing is left to wait for. */
export function isDone(pod: Pod): boolean {
  // The phase follows later than what the container says.
  return pod.status?.phase === 'Succeeded' || terminatedOf(pod)?.exitCode === 0;
}

function endedState(pod: Pod, workload: WorkloadName): State | undefined {
  const { ends, replaces } = workloadKinds[workload];
  const isEnded = isDone(pod) || pod.status?.phase === 'Failed' || terminatedOf(pod) !== undefined;
  if (!isEnded) return undefined;
  // There is another one soon.
  if (replaces) return { state: 'starting' };
  // It has finished what it had: nothing is to be healed.
  if (isDone(pod)) return ends ? { state: 'draining' } : { state: 'stopped', reason: 'its program has ended' };
  return { state: 'failed', reason: endOf(pod) };
}

/** What Kubernetes tries again and again, and somebody has to look at. */
function stuckState(pod: Pod): State | undefined {
  const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason === 'CrashLoopBackOff') {
    const last = pod.status?.containerStatuses?.[0]?.lastState?.terminated;
    const reason = last === undefined ? (waiting.message ?? waiting.reason) : exitOf(last);
    return { state: 'failed', reason: `${reason}, again and again` };
  }
  const reason = noRoomFor(pod);
  return reason === undefined ? undefined : { state: 'failed', reason };
}

/** What a volume that is being made looks like to the scheduler. */
const VOLUME_COMES = /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found/;

/** Why the scheduler finds no node, unless it only waits for a volume. */
export function noRoomFor(pod: Pod): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.reason !== 'Unschedulable') return undefined;
  const { message = 'the scheduler finds no room' } = scheduled;
  return VOLUME_COMES.test(message) ? undefined : message;
}

function terminatedOf(pod: Pod): Terminated | undefined {
  return pod.status?.containerStatuses?.[0]?.state?.terminated;
}

/** Why it ended, in words. */
export function endOf(pod: Pod): string {
  const ended = terminatedOf(pod);
  return ended === undefined ? (pod.status?.message ?? pod.status?.reason ?? 'the pod failed') : exitOf(ended);
}

function exitOf({ exitCode, reason, message }: Terminated): string {
  const why = [reason === 'Error' ? undefined : reason, message].filter((text) => text !== undefined && text !== '');
  return `its program ended with exit code ${exitCode}${why.length === 0 ? '' : `: ${why.join(', ')}`}`;
}

/** `pod` is absent while the controller of the unit makes another one. */
export function statusOf(siteId: string, pod: Pod | undefined, record: UnitRecord, object: string): UnitStatus {
  const { state, reason }: State = pod === undefined ? { state: 'starting' } : stateOf(pod, record.workload);
  const containerId = pod?.status?.containerStatuses?.[0]?.containerID;
  const ports = record.ports.map(
    (port): PortStatus => ({
      ...port,
      host: record.host,
      address: pod?.status?.podIP ?? '',
      mac: pod?.metadata.annotations?.[ANNOTATIONS.mac] ?? '',
      sid: portSid(siteId, port.id),
    }),
  );
  return {
    id: record.id,
    service: record.service,
    path: record.path,
    index: record.index,
    host: record.host,
    environment: record.environment,
    state,
    ports,
    pooled: false,
    handles: {
      ...(record.workload === 'pod' ? {} : { [record.workload]: object }),
      ...(pod === undefined ? {} : { pod: pod.metadata.name }),
      ...(containerId === undefined ? {} : { container: containerId }),
    },
    ...(reason === undefined ? {} : { error: reportError(ended(record, reason)) }),
  };
}

function ended({ path, host }: UnitRecord, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing: `run unit ${path} on ${host}`, reason });
}
