import { isSuperfluidityError, SuperfluidityError, systemClock } from '@superfluidity/core';
import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { KURYR_NAME, kuryrPodLabels } from '@superfluidity/driver-kubernetes/kuryr';
import { CONFIGURATION_LIST, PLUGIN } from '../api/plugin.ts';
import { PORT_FINALIZER } from '../api/port.ts';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { tagsOf } from '../controller/compose.ts';
import { ofKind } from './apply.ts';
import './errors.ts';
import { countedWords, installedConfig, type InUse, objectsInUse } from './installed.ts';
import { type Kind, KINDS, pathOf } from './manifests.ts';
import { isOurs } from './spec.ts';

export interface RemoveOptions {
  readonly namespace: string;
  /** How long the controller may take to give back what pods had. */
  readonly waitMs: number;
  /** Removes objects whose things the controller has not given back, which then stay in the cloud. */
  readonly abandons: boolean;
  readonly keepsDefinitions: boolean;
  /** Says what would go. */
  readonly dryRun: boolean;
}

export interface Removed {
  readonly removed: readonly string[];
  /** What is left of it, and what removes that. */
  readonly stays: readonly string[];
}

const POLL_MS = 500;
const ENDS_MS = 60_000;
/** Every one of ours begins so: apps/kuryr/api. */
const FINALIZERS = PORT_FINALIZER.slice(0, PORT_FINALIZER.indexOf('/') + 1);

/**
 * Removes what was installed: all that has our label, and nothing else. The controller goes first, and only when nothing is left
 * that it alone can give back. Throws `SF-KURYR-IN-USE`.
 */
export async function removeAll(cluster: Cluster, options: RemoveOptions, signal: AbortSignal): Promise<Removed> {
  const { namespace, abandons, keepsDefinitions, dryRun } = options;
  const config = await installedConfig(cluster, namespace, signal);
  const isThere = (await ofKind(cluster, 'Deployment', namespace, signal)).length > 0;
  if (isThere && config === undefined && abandons)
    throw new SuperfluidityError('SF-KURYR-INSTALL', {
      doing: `remove Kuryr of namespace ${namespace}`,
      reason: `ConfigMap ${KURYR_NAME} cannot be read, and with it which namespaces are served`,
      hint: 'Install it again as it was: then it is known whose objects may be abandoned.',
    });
  // Where no controller is installed, no object is of this one.
  const inUse = async () =>
    isThere || config !== undefined ? objectsInUse(cluster, config?.namespaces ?? {}, signal) : [];
  // Where no controller is, waiting is in vain.
  if (!abandons) await untilFree(inUse, dryRun || !isThere ? 0 : options.waitMs, namespace, signal);
  const removed: string[] = [];
  const remove = async (kind: Kind | 'Lease' | 'KuryrPool', path: string, object: KubeObject) => {
    const { name, namespace: within, uid } = object.metadata;
    removed.push(`${kind} ${within === undefined ? '' : `${within}/`}${name}`);
    if (!dryRun) await cluster.delete(path, undefined, signal, uid);
  };
  const removeKind = async (kind: Kind) => {
    for (const object of await ofKind(cluster, kind, namespace, signal))
      await remove(kind, pathOf(kind, object.metadata.namespace, object.metadata.name), object);
  };
  await removeKind('Deployment');
  if (!dryRun) await untilEnded(cluster, namespace, signal);
  // Pods may have come while it ended.
  const left = await inUse();
  if (abandons) for (const one of left) await abandon(cluster, one, removed, dryRun, signal);
  else if (left.length > 0)
    throw used(left, `remove Kuryr of namespace ${namespace}, whose controller is gone: install it again`);

  const last: readonly Kind[] = ['Namespace', 'CustomResourceDefinition', 'Deployment'];
  for (const kind of KINDS.toReversed()) if (!last.includes(kind)) await removeKind(kind);
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${config?.lease.name ?? KURYR_NAME}`;
  const held = await cluster.get<KubeObject>(lease, signal);
  if (held !== undefined) await remove('Lease', lease, held);

  // They told of pools that nobody keeps any more.
  const pools = await cluster.list<KubeObject>(
    resourcePath(RESOURCES.pools, config?.lease.namespace ?? namespace),
    {},
    signal,
  );
  for (const pool of pools.items)
    await remove('KuryrPool', resourcePath(RESOURCES.pools, pool.metadata.namespace, pool.metadata.name), pool);

  const stays: string[] = [];
  const gone = new Set(left.map(({ uid }) => uid));
  const others = (await objectsInUse(cluster, {}, signal)).filter(({ uid }) => !gone.has(uid));
  const definitions = await ofKind(cluster, 'CustomResourceDefinition', undefined, signal);
  if (definitions.length > 0 && keepsDefinitions)
    stays.push('the custom resource definitions: --keep-definitions was given');
  // They would be deleted with them, and their finalizers stranded.
  else if (definitions.length > 0 && others.length > 0)
    stays.push(`the custom resource definitions: there are ${countedWords(others).join(', ')}`);
  else await removeKind('CustomResourceDefinition');
  const own = await cluster.get<KubeObject>(pathOf('Namespace', undefined, namespace), signal);
  if (own !== undefined && isOurs(own.metadata.labels)) {
    const strangers = await strangersIn(cluster, namespace, signal);
    if (strangers.length === 0) await remove('Namespace', pathOf('Namespace', undefined, namespace), own);
    else stays.push(`namespace ${namespace}: in it are ${strangers.join(', ')}`);
  }
  if (isThere)
    stays.push(`on the nodes: ${PLUGIN} in the folder of CNI plugins, ${CONFIGURATION_LIST} in that of configurations`);
  if (config?.neutron !== undefined)
    stays.push(
      `in cloud ${config.neutron.cloud ?? ''}: what has the mark ${tagsOf(config).at(-1)} in its description, such as ports of pools`,
    );
  return { removed, stays };
}

async function untilFree(
  inUse: () => Promise<readonly InUse[]>,
  waitMs: number,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = await inUse();
    if (left.length === 0) return;
    if (waitedMs >= waitMs) throw used(left, `remove Kuryr of namespace ${namespace}`);
    await systemClock.sleep(POLL_MS, signal);
  }
}

const used = (left: readonly InUse[], doing: string) =>
  new SuperfluidityError('SF-KURYR-IN-USE', {
    doing,
    reason: `there are ${countedWords(left).join(', ')}`,
    data: { count: left.length },
  });

/** So that nothing is given away or written any more. */
async function untilEnded(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<void> {
  const labelSelector = Object.entries(kuryrPodLabels('controller'))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const late = AbortSignal.any([signal, AbortSignal.timeout(ENDS_MS)]);
  const path = `/api/v1/namespaces/${namespace}/pods`;
  try {
    while ((await cluster.list(path, { labelSelector }, late)).items.length > 0) await systemClock.sleep(POLL_MS, late);
  } catch (cause) {
    if (!late.aborted || isSuperfluidityError(cause, 'SF-KUBE-FORBIDDEN')) throw cause;
    const doing = `end the controller in namespace ${namespace}`;
    const reason = `its pods are still there after ${ENDS_MS / 1_000} s`;
    throw new SuperfluidityError('SF-KURYR-IN-USE', { doing, reason, cause });
  }
}

async function abandon(
  cluster: Cluster,
  { kind, path, namespace, name, uid, finalizers }: InUse,
  removed: string[],
  dryRun: boolean,
  signal: AbortSignal,
): Promise<void> {
  removed.push(`${kind} ${namespace}/${name}`);
  if (dryRun) return;
  const others = finalizers.filter((one) => !one.startsWith(FINALIZERS));
  if (others.length < finalizers.length) await cluster.merge(path, { metadata: { uid, finalizers: others } }, signal);
  await cluster.delete(path, undefined, signal, uid);
}

/** What somebody else put into a namespace that we made: such as the Secret of the cloud. */
async function strangersIn(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [kind, plural] of [
    ['Pod', 'pods'],
    ['Service', 'services'],
    ['Secret', 'secrets'],
    ['ConfigMap', 'configmaps'],
    ['PersistentVolumeClaim', 'persistentvolumeclaims'],
  ] as const) {
    const { items } = await cluster.list<KubeObject>(`/api/v1/namespaces/${namespace}/${plural}`, {}, signal);
    for (const { metadata } of items) {
      const isMade = isOurs(metadata.labels) || metadata.name === 'kube-root-ca.crt';
      if (!isMade && metadata.deletionTimestamp === undefined) found.push(`${kind} ${metadata.name}`);
    }
  }
  return found;
}
