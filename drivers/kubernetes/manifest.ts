import { canonicalJson, SuperfluidityError, sha256 } from '@superfluidity/core';
import type { Environment, HealthCheck } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import type { KubernetesConfig } from './config.ts';
import type { UnitFiles } from './files.ts';
import { ANNOTATIONS, LABELS } from './marks.ts';
import { nodeRulesOf } from './nesting.ts';
import { recordFor } from './record.ts';
import { runtimeClassOf } from './runtime-classes.ts';
import { workloadOf } from './workloads/kinds.ts';
import type { PodManifest } from './workloads/template.ts';
import type { World } from './world.ts';

/** The one container of a pod of ours. */
export const CONTAINER = 'unit';
const ENVIRONMENTS: readonly Environment[] = ['pod', 'container'];
const APP = '/app';
const FACTS = '/run/superfluidity';

/** Unikernels run where a RuntimeClass is said to run them. */
export function offeredEnvironments({ runtimeClasses }: KubernetesConfig): readonly Environment[] {
  return runtimeClasses.environments.unikernel === undefined ? ENVIRONMENTS : [...ENVIRONMENTS, 'unikernel'];
}

export function digestOf(spec: UnitSpec): string {
  return sha256(canonicalJson(spec)).slice(0, 32);
}

/** Refuses what a pod cannot be, by name. */
export function checkSpec(world: World, spec: UnitSpec, doing: string): void {
  const { environment, forwards, translates, program } = spec.execution;
  const offered = offeredEnvironments(world.config);
  if (!offered.includes(environment)) {
    throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
      doing,
      reason: `a cluster runs containers in pods, not units of environment '${environment}'`,
      data: { environment, offered: [...offered] },
    });
  }
  checkVolume(world, spec, doing);
  const network = (reason: string): never => {
    throw new SuperfluidityError('SF-KUBE-NETWORK', { doing, reason });
  };
  if (forwards === true || translates !== undefined || program !== undefined)
    network('packets pass through the unit: pods have one interface, and no packets of others come to it');
  if (spec.ports.length > 1) network(`it has ${spec.ports.length} ports: a pod has one interface`);
  for (const port of spec.ports) {
    if (port.address !== undefined) network(`port ${port.name} has a fixed address`);
    if (port.mac !== undefined) network(`port ${port.name} has a fixed Ethernet address`);
    if (port.serviceAddresses.length > 0) network(`port ${port.name} has further addresses`);
    if (port.bandwidthMbps !== undefined) network(`port ${port.name} has a bandwidth`);
    if (port.allow !== undefined && !world.config.policies) {
      throw new SuperfluidityError('SF-KUBE-POLICY', {
        doing,
        reason: `port ${port.name} has rules of what may come in, and nothing is known to enforce NetworkPolicies at ${world.name}`,
      });
    }
    if (port.allow?.some(({ protocol }) => protocol === 'icmp') === true) {
      const reason = `port ${port.name} allows ICMP, which NetworkPolicies cannot say`;
      const hint = 'Leave that rule out: whether pods answer to a ping is up to the network of the cluster.';
      throw new SuperfluidityError('SF-KUBE-POLICY', { doing, reason, hint });
    }
  }
}

/** A volume of its own belongs to a unit that keeps its name from pod to pod. */
function checkVolume({ config }: World, { path, storageMiB }: UnitSpec, doing: string): void {
  if (config.workloads.volumes[path] === undefined) return;
  const workload = workloadOf(config.workloads, path);
  const reason =
    workload !== 'stateful-set'
      ? `${path} has a volume of its own and is of kind ${workload}: such units are stateful sets`
      : storageMiB > 0
        ? undefined
        : `${path} has a volume of its own and asks for no storage`;
  if (reason !== undefined) throw new SuperfluidityError('SF-KUBE-WORKLOAD', { doing, reason });
}

/** What a pod takes from elsewhere. */
export interface PodParts {
  readonly image: string;
  readonly files?: UnitFiles | undefined;
  /** Variables of its container, whose values are in a Secret. */
  readonly variables?: readonly unknown[] | undefined;
}

/** The pod of a unit, whole: what the API server has of it under our name is this and nothing else. */
export function podOf(world: World, spec: UnitSpec, parts: PodParts): PodManifest {
  const { marks, config } = world;
  const { execution } = spec;
  const workload = workloadOf(config.workloads, spec.path);
  const graceSeconds = Math.max(1, Math.ceil((execution.drain?.timeoutMs ?? 1_000) / 1_000));
  const network = spec.ports[0]?.network;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: marks.unitName(spec.id),
      namespace: world.cluster.namespace,
      labels: marks.labels({
        [LABELS.service]: spec.service,
        [LABELS.unit]: spec.id,
        ...(network === undefined ? {} : { [LABELS.network]: network }),
        ...(spec.ports[0]?.allow === undefined ? {} : { [LABELS.ruled]: 'true' }),
      }),
      annotations: {
        [ANNOTATIONS.spec]: JSON.stringify(recordFor(spec, workload, digestOf(spec), graceSeconds)),
        [ANNOTATIONS.facts]: JSON.stringify(spec.facts),
      },
    },
    spec: {
      // Who made the unit learns of its end and decides what comes of it.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      ...nodeRulesOf(world, spec),
      ...runtimeClassOf(config, spec),
      containers: [containerOf(world, spec, parts)],
      volumes: volumesOf(parts),
    },
  };
}

function containerOf({ config }: World, spec: UnitSpec, { image, files, variables }: PodParts) {
  const { execution } = spec;
  const probe = probeOf(execution.health);
  // Where it has a volume of its own, that is its storage.
  const isScratch = spec.storageMiB > 0 && config.workloads.volumes[spec.path] === undefined;
  const resources = {
    cpu: `${Math.max(1, Math.round(spec.cpu * 1_000))}m`,
    memory: `${Math.max(1, Math.round(spec.memoryMiB))}Mi`,
    ...(isScratch ? { 'ephemeral-storage': `${Math.ceil(spec.storageMiB)}Mi` } : {}),
  };
  return {
    name: CONTAINER,
    image,
    ...(execution.command === undefined ? {} : { command: [...execution.command] }),
    ...(variables === undefined ? {} : { env: variables }),
    resources: { requests: resources, limits: resources },
    ...(probe === undefined ? {} : { readinessProbe: probe }),
    ...(execution.drain?.signal === 'SIGUSR1'
      ? { lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'kill -USR1 1'] } } } }
      : {}),
    volumeMounts: [
      { name: 'facts', mountPath: FACTS, readOnly: true },
      ...(files === undefined ? [] : [{ name: 'app', mountPath: APP, readOnly: true }]),
    ],
  };
}

function volumesOf({ files }: PodParts): readonly unknown[] {
  const fieldRef = { fieldPath: `metadata.annotations['${ANNOTATIONS.facts}']` };
  return [
    { name: 'facts', downwardAPI: { items: [{ path: 'facts.json', fieldRef }] } },
    ...(files === undefined
      ? []
      : [{ name: 'app', configMap: { name: files.object.metadata.name, items: [...files.items] } }]),
  ];
}

/** By name, or what the site puts in its place. */
export function imageOf(world: World, image: string | undefined, doing: string): string {
  const named = image === undefined ? undefined : world.config.images[image];
  if (named !== undefined) return named;
  if (image?.startsWith('name:') === true && image.length > 'name:'.length) return image.slice('name:'.length);
  throw new SuperfluidityError('SF-SITE-IMAGE', {
    doing,
    reason:
      image === undefined
        ? 'the unit names no image'
        : `a cluster takes images from registries by name, not '${image}'`,
    hint: 'Write `name:REGISTRY/IMAGE:TAG`, or say in the configuration of the site, under `images`, what stands for it.',
  });
}

/** The kubelet asks, each second, which is as often as it can. It has no ping: such a unit is ready when it runs. */
function probeOf(health: HealthCheck | undefined): unknown {
  const common = { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3 };
  if (health?.kind === 'tcp') return { tcpSocket: { port: health.port }, ...common };
  if (health?.kind === 'http') return { httpGet: { port: health.port, path: health.path }, ...common };
  return undefined;
}
