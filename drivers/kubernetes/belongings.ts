import type { UnitSpec } from '@superfluidity/site';
import { environmentOf } from './environment.ts';
import { filesOf } from './files.ts';
import type { PodParts } from './manifest.ts';
import type { Networks } from './networks.ts';
import type { World } from './world.ts';

/** What a unit has beside its pod: its files, the values of its variables, and what may come to it. */
export interface Belongings {
  readonly parts: Omit<PodParts, 'image'>;
  apply(signal: AbortSignal): Promise<void>;
}

export function belongingsOf(world: World, networks: Networks, spec: UnitSpec, doing: string): Belongings {
  const { cluster } = world;
  const files = filesOf(world, spec, doing);
  const environment = environmentOf(world, spec);
  return {
    parts: { files, variables: environment?.variables },
    async apply(signal) {
      if (files !== undefined)
        await cluster.apply(cluster.path('configmaps', files.object.metadata.name), files.object, signal);
      if (environment !== undefined)
        await cluster.apply(cluster.path('secrets', environment.object.metadata.name), environment.object, signal);
      for (const port of spec.ports) await networks.ensureRules(spec, port, signal);
    },
  };
}

/** Whether it has them or not. */
export async function removeBelongings(
  { cluster, marks }: World,
  networks: Networks,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const name = marks.unitName(id);
  for (const resource of ['configmaps', 'secrets'])
    await cluster.delete(cluster.path(resource, name), undefined, signal);
  await networks.removeRules(id, signal);
}
