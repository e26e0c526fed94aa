import type { UnitSpec } from '@superfluidity/site';
import { LABELS } from '../marks.ts';
import type { KubeObject } from '../objects.ts';
import type { World } from '../world.ts';
import { workloadKinds, type WorkloadName } from './kinds.ts';

const VOLUME = 'storage';

/** A pod as it is asked for. */
export interface PodManifest extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly containers: readonly (Readonly<Record<string, unknown>> & { readonly volumeMounts: readonly unknown[] })[];
  };
}

/**
 * The object of a unit, of which there is one pod at a time: the one before is gone before the next begins, since both are the
 * same unit. It has the name, labels and annotations of the pod.
 */
export function workloadObject(world: World, name: WorkloadName, spec: UnitSpec, pod: PodManifest): KubeObject {
  const { kind, group, replaces } = workloadKinds[name];
  if (group === undefined) return pod;
  const { metadata } = pod;
  const template = {
    metadata: { labels: metadata.labels, annotations: metadata.annotations },
    spec: replaces ? { ...pod.spec, restartPolicy: 'Always' } : pod.spec,
  };
  return { apiVersion: group, kind, metadata, spec: specOf(world, name, spec, template) } as KubeObject;
}

function specOf(world: World, name: WorkloadName, spec: UnitSpec, template: Template): unknown {
  const { marks } = world;
  const own = marks.labels({ [LABELS.unit]: spec.id });
  const selector = { matchLabels: own };
  switch (name) {
    case 'deployment':
      return { replicas: 1, revisionHistoryLimit: 0, strategy: { type: 'Recreate' }, selector, template };
    case 'stateful-set':
      return {
        replicas: 1,
        revisionHistoryLimit: 1,
        serviceName: marks.unitName(spec.id),
        selector,
        // What is kept in it is the unit's: it goes when the unit goes.
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
        ...withVolume(world, spec, template),
      };
    case 'job':
      // A program that failed is a unit that failed: who asked for it decides what comes of that.
      return { completions: 1, parallelism: 1, backoffLimit: 0, template };
    case 'deployment-config':
      return {
        replicas: 1,
        revisionHistoryLimit: 0,
        strategy: { type: 'Recreate' },
        selector: own,
        template,
        triggers: [{ type: 'ConfigChange' }],
      };
    case 'pod':
      return template.spec;
  }
}

interface Template {
  readonly metadata: unknown;
  readonly spec: PodManifest['spec'];
}

function withVolume(world: World, spec: UnitSpec, template: Template): Readonly<Record<string, unknown>> {
  const volume = world.config.workloads.volumes[spec.path];
  if (volume === undefined) return { template };
  const [container] = template.spec.containers;
  const mount = { name: VOLUME, mountPath: volume.mount };
  const containers = [{ ...container, volumeMounts: [...container!.volumeMounts, mount] }];
  return {
    template: { ...template, spec: { ...template.spec, containers } },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: VOLUME, labels: world.marks.labels({ [LABELS.unit]: spec.id }) },
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...(volume.storageClass === undefined ? {} : { storageClassName: volume.storageClass }),
          resources: { requests: { storage: `${Math.ceil(spec.storageMiB)}Mi` } },
        },
      },
    ],
  };
}
