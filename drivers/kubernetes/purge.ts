import { append, isSuperfluidityError } from '@superfluidity/core';
import { LIMITS } from './config.ts';
import type { ConfigMap, KubeObject, Pod } from './objects.ts';
import { BUILDS, IMAGE_STREAMS } from './openshift/images.ts';
import { removeNamespace } from './openshift/project.ts';
import { ROUTES } from './openshift/routes.ts';
import { POLICIES } from './policies.ts';
import { Segments } from './segments.ts';
import { SLICES } from './services/manifest.ts';
import type { Units } from './units.ts';
import { controlledNames, workloadKinds } from './workloads/kinds.ts';
import type { World } from './world.ts';

interface Sort {
  /** What people call one of them. */
  readonly title: string;
  readonly resource: string;
  readonly group?: string;
  /** Not every cluster has it, or lets every user see it: then there is none of ours. */
  readonly isOptional?: boolean;
}

const controlled: readonly Sort[] = controlledNames.map((name) => {
  const { kind, resource, group } = workloadKinds[name];
  return { title: words(kind), resource, ...(group === undefined ? {} : { group }), isOptional: true };
});
/** What is left when there are no units any more, in the order in which it goes. */
const sorts: readonly Sort[] = [
  { title: 'route', resource: 'routes', group: ROUTES, isOptional: true },
  { title: 'service', resource: 'services', isOptional: true },
  { title: 'endpoint slice', resource: 'endpointslices', group: SLICES, isOptional: true },
  { title: 'build config', resource: 'buildconfigs', group: BUILDS, isOptional: true },
  { title: 'image stream', resource: 'imagestreams', group: IMAGE_STREAMS, isOptional: true },
  { title: 'volume claim', resource: 'persistentvolumeclaims', isOptional: true },
  { title: 'network policy', resource: 'networkpolicies', group: POLICIES },
  { title: 'secret', resource: 'secrets' },
];

/** Removes everything that carries the labels of the site, and nothing else. */
export async function purge(world: World, units: Units): Promise<readonly string[]> {
  const { cluster, marks } = world;
  const signal = AbortSignal.timeout(LIMITS.purgeMs);
  const removed: string[] = [];
  // What is being made at this moment would come after the look at what there is.
  await units.close();
  const found = await units.find(signal);
  await units.remove(
    found.map(({ record }) => record.id),
    signal,
  );
  append(
    removed,
    found.map(({ record }) => `${words(workloadKinds[record.workload].kind)} ${marks.unitName(record.id)}`),
  );
  // Those whose annotation somebody took away have their labels still.
  for (const sort of controlled) append(removed, await removeAll(world, sort, signal));
  await removePods(world, signal);
  if (await leaveSegment(world, signal)) removed.push(`subnet of namespace ${cluster.namespace}`);
  for (const sort of sorts) append(removed, await removeAll(world, sort, signal));
  const { items: maps } = await cluster.list<ConfigMap>(
    cluster.path('configmaps'),
    { labelSelector: marks.selector },
    signal,
  );
  const namespace = maps.some(({ metadata }) => metadata.name === marks.namespaceName)
    ? await removeNamespace(world, signal)
    : undefined;
  if (namespace !== undefined) return [...removed, `namespace ${namespace}`];
  for (const { metadata } of maps) {
    await cluster.delete(cluster.path('configmaps', metadata.name), undefined, signal);
    // Where the fence is kept is there only because somebody came, also to purge.
    if (metadata.name !== marks.siteName) removed.push(`config map ${metadata.name}`);
  }
  return removed;
}

/** What Kuryr reads at the namespace. Who may not see that has written nothing there. */
async function leaveSegment(world: World, signal: AbortSignal): Promise<boolean> {
  try {
    return await new Segments(world).clear(undefined, signal);
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN') || world.config.kuryr !== undefined) throw error;
    return false;
  }
}

async function removePods({ cluster, marks, clock }: World, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { items: left } = await cluster.list<Pod>(cluster.path('pods'), { labelSelector: marks.selector }, signal);
    if (left.length === 0) return;
    await Promise.all(left.map(({ metadata }) => cluster.delete(cluster.path('pods', metadata.name), 1, signal)));
    await clock.sleep(LIMITS.pauseMs, signal);
  }
}

async function removeAll(
  { cluster, marks }: World,
  { title, resource, group, isOptional = false }: Sort,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const removed: string[] = [];
  try {
    const path = cluster.path(resource, undefined, group);
    const { items } = await cluster.list<KubeObject>(path, { labelSelector: marks.selector }, signal, { isOptional });
    for (const { metadata } of items) {
      await cluster.delete(cluster.path(resource, metadata.name, group), undefined, signal);
      removed.push(`${title} ${metadata.name}`);
    }
  } catch (error) {
    if (!isOptional || !isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
  }
  return removed;
}

/** `StatefulSet` as `stateful set`. */
function words(kind: string): string {
  return kind.replace(/(?!^)[A-Z]/g, ' $&').toLowerCase();
}
