import { isSuperfluidityError, reportError, Turnstile } from '@superfluidity/core';
import type { PortMetrics, UnitMetrics } from '@superfluidity/site';
import { LIMITS } from '../config.ts';
import type { KubeObject, Pod } from '../objects.ts';
import { mebibytes } from '../quantities.ts';
import { isDone, stateOf, type UnitRecord } from '../record.ts';
import type { Right } from '../rights.ts';
import type { Found } from '../workloads/find.ts';
import type { World } from '../world.ts';
import { readCadvisor } from './cadvisor.ts';
import { PART, type Sample } from './sample.ts';

const METRICS = 'metrics.k8s.io';
const KUBELETS: Right = { verb: 'get', resource: 'nodes', subresource: 'proxy', everywhere: true };
const SERVER: Right = { verb: 'list', resource: 'pods', group: METRICS };
const MIB = 2 ** 20;

type Running = Found & { readonly pod: Pod };

/** Who tells what pods take: the kubelets all of it, the metrics server their memory. */
export type MetricsSource = 'kubelets' | 'metrics server';

/** Undefined where the user of the site may ask neither. */
export async function metricsSource(world: World, signal: AbortSignal): Promise<MetricsSource | undefined> {
  if (await world.rights.has(KUBELETS, signal)) return 'kubelets';
  const has = (await world.discovery.groups(signal)).has(METRICS) && (await world.rights.has(SERVER, signal));
  return has ? 'metrics server' : undefined;
}

/** Of those of the ids that run, in their order. */
export async function readMetrics(
  world: World,
  ids: readonly string[],
  found: readonly Found[],
  signal: AbortSignal,
): Promise<readonly UnitMetrics[]> {
  const source = await metricsSource(world, signal);
  if (source === undefined) return [];
  const byId = new Map(found.map((one) => [one.record.id, one]));
  const wanted = ids.flatMap((id) => byId.get(id) ?? []).filter((one) => isRunning(one));
  const samples = source === 'kubelets' ? await askKubelets(world, wanted, signal) : await askServer(world, signal);
  const nowMs = world.clock.now();
  return wanted.flatMap(({ pod, record }) => {
    const sample = samples.get(pod.metadata.name);
    return sample === undefined ? [] : [metricsOf(record, sample, nowMs)];
  });
}

function isRunning(found: Found): found is Running {
  const { pod, record } = found;
  if (pod === undefined || isDone(pod)) return false;
  const { state } = stateOf(pod, record.workload);
  return state === 'running' || state === 'draining';
}

/** Each kubelet knows the pods of its node. One that does not answer tells nothing. */
async function askKubelets(
  { cluster, log }: World,
  units: readonly Running[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Sample>> {
  const nodes = [...new Set(units.flatMap(({ pod }) => pod.spec?.nodeName ?? []))];
  const turnstile = new Turnstile(LIMITS.nodesAtOnce);
  const told = await Promise.all(
    nodes.map((node) =>
      turnstile.pass(`read what pods of node ${node} use`, signal, async () => {
        try {
          const text = await cluster.text(`/api/v1/nodes/${node}/proxy/metrics/cadvisor`, { signal, isOptional: true });
          return [...readCadvisor(text ?? '', cluster.namespace)];
        } catch (error) {
          log.debug({ node, error: reportError(error) }, 'a kubelet does not tell what its pods take');
          return [];
        }
      }),
    ),
  );
  return new Map(told.flat());
}

interface PodMetrics extends KubeObject {
  readonly timestamp?: string;
  readonly containers?: readonly { readonly name: string; readonly usage?: Readonly<Record<string, string>> }[];
}

/** It tells how fast processors are used at the moment, and not how much they were used: that is left out. */
async function askServer({ cluster, marks }: World, signal: AbortSignal): Promise<ReadonlyMap<string, Sample>> {
  const path = `/apis/${METRICS}/v1beta1/namespaces/${cluster.namespace}/pods`;
  try {
    const { items } = await cluster.list<PodMetrics>(path, { labelSelector: marks.selector }, signal);
    return new Map(items.map((item) => [item.metadata.name, sampleOf(item)]));
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-SITE-UNAVAILABLE')) return new Map();
    throw error;
  }
}

function sampleOf({ timestamp, containers = [] }: PodMetrics): Sample {
  const memory = containers.find(({ name }) => name === PART)?.usage?.['memory'];
  const atMs = Date.parse(timestamp ?? '');
  return {
    ...(Number.isNaN(atMs) ? {} : { atMs }),
    ...(memory === undefined ? {} : { memoryBytes: mebibytes(memory) * MIB }),
    traffic: {},
  };
}

function metricsOf({ id, cpu, memoryMiB, ports }: UnitRecord, sample: Sample, nowMs: number): UnitMetrics {
  const { atMs = nowMs, traffic, ...taken } = sample;
  const counters = trafficOf(traffic);
  return {
    id,
    atMs,
    ...taken,
    cpu,
    memoryMiB,
    // A pod has one interface.
    ports:
      counters === undefined ? [] : ports.slice(0, 1).map((port) => ({ id: port.id, name: port.name, ...counters })),
  };
}

function trafficOf(traffic: Sample['traffic']): Omit<PortMetrics, 'id' | 'name'> | undefined {
  const { rxBytes, rxPackets, txBytes, txPackets, rxDropped, txDropped } = traffic;
  if (rxBytes === undefined || rxPackets === undefined || txBytes === undefined || txPackets === undefined)
    return undefined;
  return { rxBytes, rxPackets, txBytes, txPackets, dropped: (rxDropped ?? 0) + (txDropped ?? 0) };
}
