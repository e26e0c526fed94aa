import { canonicalJson, SuperfluidityError, sha256 } from '@superfluidity/core';
import type { HealthCheck } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import type { UnitFiles } from './files.ts';
import { ANNOTATIONS, LABELS } from './marks.ts';
import type { KubeObject } from './objects.ts';
import { recordFor } from './record.ts';
import type { World } from './world.ts';

/** The one container of a pod of ours. */
export const CONTAINER = 'unit';
const ENVIRONMENTS = ['pod', 'container'] as const;
const APP = '/app';
const FACTS = '/run/superfluidity';

export const offeredEnvironments = ENVIRONMENTS;

export function digestOf(spec: UnitSpec): string {
  return sha256(canonicalJson(spec)).slice(0, 32);
}

/** Refuses what a pod cannot be, by name. */
export function checkSpec(world: World, spec: UnitSpec, doing: string): void {
  const { environment, forwards, translates, program } = spec.execution;
  if (!ENVIRONMENTS.some((one) => one === environment)) {
    throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
      doing,
      reason: `a cluster runs containers in pods, not units of environment '${environment}'`,
      data: { environment, offered: [...ENVIRONMENTS] },
    });
  }
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

/** The pod of a unit, whole: what the API server has of it under our name is this and nothing else. */
export function podOf(world: World, spec: UnitSpec, files: UnitFiles | undefined, doing: string): KubeObject {
  const { marks } = world;
  const { execution } = spec;
  const image = imageOf(world, execution.image, doing);
  const graceSeconds = Math.max(1, Math.ceil((execution.drain?.timeoutMs ?? 1_000) / 1_000));
  const resources = {
    cpu: `${Math.max(1, Math.round(spec.cpu * 1_000))}m`,
    memory: `${Math.max(1, Math.round(spec.memoryMiB))}Mi`,
    ...(spec.storageMiB > 0 ? { 'ephemeral-storage': `${Math.ceil(spec.storageMiB)}Mi` } : {}),
  };
  const probe = probeOf(execution.health);
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
        [ANNOTATIONS.spec]: JSON.stringify(recordFor(spec, digestOf(spec), graceSeconds)),
        [ANNOTATIONS.facts]: JSON.stringify(spec.facts),
      },
    },
    spec: {
      // Who made the unit learns of its end and decides what comes of it.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      // The scheduler is asked all the same: it knows what fits, what is tainted, and says why not.
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [spec.host] }] }],
          },
        },
      },
      containers: [
        {
          name: CONTAINER,
          image,
          ...(execution.command === undefined ? {} : { command: [...execution.command] }),
          env: Object.entries(execution.env ?? {}).map(([name, value]) => ({ name, value })),
          resources: { requests: resources, limits: resources },
          ...(probe === undefined ? {} : { readinessProbe: probe }),
          ...(execution.drain?.signal === 'SIGUSR1'
            ? { lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'kill -USR1 1'] } } } }
            : {}),
          volumeMounts: [
            { name: 'facts', mountPath: FACTS, readOnly: true },
            ...(files === undefined ? [] : [{ name: 'app', mountPath: APP, readOnly: true }]),
          ],
        },
      ],
      volumes: [
        {
          name: 'facts',
          downwardAPI: {
            items: [{ path: 'facts.json', fieldRef: { fieldPath: `metadata.annotations['${ANNOTATIONS.facts}']` } }],
          },
        },
        ...(files === undefined
          ? []
          : [{ name: 'app', configMap: { name: files.object.metadata.name, items: [...files.items] } }]),
      ],
    },
  } as KubeObject;
}

function imageOf(world: World, image: string | undefined, doing: string): string {
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
