import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { customResourceDefinitions } from '../api/resources.ts';
import { pathOf } from './manifests.ts';

interface Definition extends KubeObject {
  readonly spec: { readonly versions: readonly { readonly name: string; readonly subresources?: unknown }[] };
}

/**
 * Server-side apply leaves what another field manager has set. A path of its own for the status, which definitions of before had, would drop each
 * status that is written with the rest.
 */
export async function dropOldPaths(
  cluster: Cluster,
  signal: AbortSignal,
  definitions: readonly KubeObject[] = customResourceDefinitions(),
): Promise<void> {
  for (const wanted of definitions as readonly Definition[]) {
    if (hasPaths(wanted)) continue;
    const path = pathOf('CustomResourceDefinition', undefined, wanted.metadata.name);
    const found = await cluster.get<Definition>(path, signal);
    if (found === undefined || !hasPaths(found)) continue;
    const versions = found.spec.versions.map(({ subresources: _, ...rest }) => rest);
    await cluster.merge(path, { spec: { versions } }, signal);
  }
}

const hasPaths = ({ spec }: Definition): boolean =>
  spec.versions.some(({ subresources }) => subresources !== undefined);
