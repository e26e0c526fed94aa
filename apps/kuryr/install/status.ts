import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { type KuryrPool, kuryrPoolSchema } from '@superfluidity/driver-kubernetes/kuryr';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { ofKind } from './apply.ts';
import { installedConfig, objectsInUse } from './installed.ts';
import { pathOf } from './manifests.ts';
import { CONTROLLER, DAEMON } from './spec.ts';

export interface KuryrStatus {
  readonly namespace: string;
  readonly installed: boolean;
  readonly cluster?: string;
  readonly image?: string;
  readonly controller: { readonly ready: number; readonly wanted: number };
  readonly daemons: { readonly ready: number; readonly wanted: number };
  /** The replica that leads. */
  readonly leader?: string;
  readonly definitions: number;
  /** Of interfaces for pods, as the leader told of them last. */
  readonly pools: { readonly count: number; readonly ready: number; readonly inUse: number };
  /** Of each kind, in the namespaces that are served. */
  readonly objects: Readonly<Record<string, number>>;
}

interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
  };
}

/** What is there of it, and how it is. */
export async function kuryrStatus(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<KuryrStatus> {
  const [config, controller, daemon, definitions] = await Promise.all([
    installedConfig(cluster, namespace, signal),
    cluster.get<Workload>(pathOf('Deployment', namespace, CONTROLLER), signal),
    cluster.get<Workload>(pathOf('DaemonSet', namespace, DAEMON), signal),
    ofKind(cluster, 'CustomResourceDefinition', undefined, signal),
  ]);
  const lease =
    config === undefined
      ? undefined
      : await cluster.get<KubeObject & { readonly spec?: { readonly holderIdentity?: string } }>(
          `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${config.lease.name}`,
          signal,
        );
  const objects = await objectsInUse(cluster, config?.namespaces ?? {}, signal);
  const pools = config === undefined ? [] : await toldPools(cluster, config.lease.namespace, signal);
  const leader = lease?.spec?.holderIdentity;
  const image = controller?.spec?.template?.spec?.containers?.[0]?.image;
  return {
    namespace,
    installed: controller !== undefined && daemon !== undefined && config !== undefined,
    ...(config === undefined ? {} : { cluster: config.cluster }),
    ...(image === undefined ? {} : { image }),
    controller: { ready: controller?.status?.readyReplicas ?? 0, wanted: controller?.spec?.replicas ?? 0 },
    daemons: { ready: daemon?.status?.numberReady ?? 0, wanted: daemon?.status?.desiredNumberScheduled ?? 0 },
    ...(leader === undefined || leader === '' ? {} : { leader }),
    definitions: definitions.length,
    pools: {
      count: pools.length,
      ready: pools.reduce((sum, { status }) => sum + (status?.ready ?? 0), 0),
      inUse: pools.reduce((sum, { status }) => sum + (status?.inUse ?? 0), 0),
    },
    objects: Object.fromEntries(
      Object.values(RESOURCES)
        .filter((resource) => resource !== RESOURCES.pools)
        .map(({ kind }) => [kind, objects.filter((one) => one.kind === kind).length]),
    ),
  };
}

async function toldPools(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<readonly KuryrPool[]> {
  const { items } = await cluster.list<KubeObject>(resourcePath(RESOURCES.pools, namespace), {}, signal);
  return items.flatMap((item) => kuryrPoolSchema.safeParse(item).data ?? []);
}
