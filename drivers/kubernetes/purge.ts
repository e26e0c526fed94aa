import { append } from '@superfluidity/core';
import { LIMITS } from './config.ts';
import type { ConfigMap, KubeObject, Pod } from './objects.ts';
import { POLICIES } from './policies.ts';
import { recordOf } from './record.ts';
import type { Units } from './units.ts';
import type { World } from './world.ts';

/** Removes everything that carries the labels of the site, and nothing else. */
export async function purge(world: World, units: Units): Promise<readonly string[]> {
  const { cluster, marks, clock } = world;
  const signal = AbortSignal.timeout(LIMITS.purgeMs);
  const mine = { labelSelector: marks.selector };
  const removed: string[] = [];
  // What is being made at this moment would come after the look at what there is.
  await units.close();
  const { items: pods } = await cluster.list<Pod>(cluster.path('pods'), mine, signal);
  await units.remove(
    pods.flatMap((pod) => recordOf(pod)?.id ?? []),
    signal,
  );
  append(
    removed,
    pods.map(({ metadata }) => `pod ${metadata.name}`),
  );
  // Those whose annotation somebody took away have their labels still.
  for (;;) {
    const { items: left } = await cluster.list<Pod>(cluster.path('pods'), mine, signal);
    if (left.length === 0) break;
    await Promise.all(left.map(({ metadata }) => cluster.delete(cluster.path('pods', metadata.name), 1, signal)));
    await clock.sleep(LIMITS.pauseMs, signal);
  }
  const { items: policies } = await cluster.list<KubeObject>(
    cluster.path('networkpolicies', undefined, POLICIES),
    mine,
    signal,
  );
  for (const { metadata } of policies) {
    await cluster.delete(cluster.path('networkpolicies', metadata.name, POLICIES), undefined, signal);
    removed.push(`network policy ${metadata.name}`);
  }
  const { items: maps } = await cluster.list<ConfigMap>(cluster.path('configmaps'), mine, signal);
  for (const { metadata } of maps) {
    await cluster.delete(cluster.path('configmaps', metadata.name), undefined, signal);
    // Where the fence is kept is there only because somebody came, also to purge.
    if (metadata.name !== marks.siteName) removed.push(`config map ${metadata.name}`);
  }
  return removed;
}
