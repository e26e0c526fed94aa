import { reportError, SuperfluidityError } from '@superfluidity/core';
import { portSid, type PortSpec, type PortStatus } from '@superfluidity/fabric';
import { type Environment, environments } from '@superfluidity/model';
import type { UnitSpec, UnitState, UnitStatus } from '@superfluidity/site';
import { z } from 'zod';
import { ANNOTATIONS } from './marks.ts';
import { conditionOf, type Pod } from './objects.ts';

const content = z.object({
  id: z.string(),
  service: z.string(),
  path: z.string(),
  index: z.number(),
  host: z.string(),
  environment: z.enum(environments),
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
  /** Of all that was asked for. */
  readonly digest: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** How long it may take to finish when it is drained. */
  readonly graceSeconds: number;
  readonly ports: readonly Pick<PortSpec, 'id' | 'name' | 'network'>[];
}

export function recordFor(spec: UnitSpec, digest: string, graceSeconds: number): UnitRecord {
  const { id, service, path, index, host, cpu, memoryMiB } = spec;
  const ports = spec.ports.map((port) => ({ id: port.id, name: port.name, network: port.network }));
  const { environment } = spec.execution;
  return { id, service, path, index, host, environment, digest, cpu, memoryMiB, graceSeconds, ports };
}

/** Undefined for a pod whose annotation somebody took away or damaged: purge finds it by its labels. */
export function recordOf(pod: Pod): UnitRecord | undefined {
  const text = pod.metadata.annotations?.[ANNOTATIONS.spec];
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

export function stateOf(pod: Pod): { readonly state: UnitState; readonly reason?: string } {
  const { phase } = pod.status ?? {};
  if (isGoing(pod)) return { state: 'draining' };
  if (phase === 'Succeeded') return { state: 'stopped', reason: 'its program has ended' };
  // The phase follows later than what the container says.
  const exitCode = pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
  if (exitCode === 0) return { state: 'stopped', reason: 'its program has ended' };
  if (phase === 'Failed' || exitCode !== undefined) return { state: 'failed', reason: endOf(pod) };
  if (!wasReady(pod)) return { state: 'starting' };
  if (isReady(pod)) return { state: 'running' };
  const { message, reason } = conditionOf(pod, 'Ready') ?? {};
  return { state: 'failed', reason: message ?? reason ?? 'it is not ready any more' };
}

/** Why it ended, in words. */
export function endOf(pod: Pod): string {
  const ended = pod.status?.containerStatuses?.[0]?.state?.terminated;
  if (ended === undefined) return pod.status?.message ?? pod.status?.reason ?? 'the pod failed';
  const { exitCode, reason, message } = ended;
  const why = [reason === 'Error' ? undefined : reason, message].filter((text) => text !== undefined && text !== '');
  return `its program ended with exit code ${exitCode}${why.length === 0 ? '' : `: ${why.join(', ')}`}`;
}

export function statusOf(siteId: string, pod: Pod, record: UnitRecord): UnitStatus {
  const { state, reason } = stateOf(pod);
  const containerId = pod.status?.containerStatuses?.[0]?.containerID;
  const ports = record.ports.map(
    (port): PortStatus => ({
      ...port,
      host: record.host,
      address: pod.status?.podIP ?? '',
      mac: pod.metadata.annotations?.[ANNOTATIONS.mac] ?? '',
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
    handles: { pod: pod.metadata.name, ...(containerId === undefined ? {} : { container: containerId }) },
    ...(reason === undefined ? {} : { error: reportError(ended(record, reason)) }),
  };
}

function ended({ path, host }: UnitRecord, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing: `run unit ${path} on ${host}`, reason });
}
