import { FenceGuard } from '@superfluidity/site';
import { z } from 'zod';
import type { ConfigMap } from './objects.ts';
import type { World } from './world.ts';

const fence = z.coerce.number().int().min(0);

/** The highest fence that the site has seen, kept in the cluster: all servers see it there. */
export async function fenceOf(world: World): Promise<FenceGuard> {
  const { cluster, marks, name } = world;
  const path = cluster.path('configmaps', marks.siteName);
  const known = await cluster.get<ConfigMap>(path, world.ask());
  const highest = known === undefined ? 0 : fence.parse(known.data?.['fence']);
  return new FenceGuard(name, highest, async (seen) => {
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: marks.siteName, namespace: cluster.namespace, labels: marks.labels() },
      data: { fence: String(seen) },
    };
    await cluster.apply(path, object, world.ask());
  });
}
