import { SuperfluidityError, systemClock } from '@superfluidity/core';
import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { dropOldPaths } from './definitions.ts';
import './errors.ts';
import { type Kind, type Manifest, pathOf, pathOfManifest } from './manifests.ts';
import { CONTROLLER, isOurs, OURS_SELECTOR } from './spec.ts';

export type Effect = 'created' | 'changed' | 'unchanged';

export interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly effect: Effect;
}

const ESTABLISH_MS = 20_000;
const POLL_MS = 100;

interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Makes of the cluster what the manifests say, by server-side apply; twice is once. Throws `SF-KURYR-INSTALLED` where another
 * namespace has a controller, and what the API server refuses.
 */
export async function applyAll(
  cluster: Cluster,
  all: readonly Manifest[],
  namespace: string,
  signal: AbortSignal,
): Promise<readonly Applied[]> {
  const elsewhere = (await installedIn(cluster, signal)).filter((one) => one !== namespace);
  if (elsewhere.length > 0)
    throw new SuperfluidityError('SF-KURYR-INSTALLED', {
      doing: `install Kuryr in namespace ${namespace}`,
      reason: `it is installed in namespace ${elsewhere.join(', ')}`,
    });
  const applied: Applied[] = [];
  for (const one of all) {
    const { kind, metadata } = one;
    const path = pathOfManifest(one);
    const before = await cluster.get<KubeObject>(path, signal);
    // A namespace that somebody else made is theirs: it is used, and not marked as ours.
    const isTheirs = kind === 'Namespace' && before !== undefined && !isOurs(before.metadata.labels);
    const after = isTheirs ? before : await cluster.apply(path, one, signal);
    const effect = before === undefined ? 'created' : isSame(before, after) ? 'unchanged' : 'changed';
    const within = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
    applied.push({ kind, name: metadata.name, ...within, effect });
    if (kind === 'CustomResourceDefinition') await dropOldPaths(cluster, signal, [one]);
    if (kind === 'CustomResourceDefinition') await established(cluster, path, signal);
  }
  return applied;
}

/** Others write their status all the time. */
function isSame(before: KubeObject, after: KubeObject): boolean {
  if (before.metadata.resourceVersion === after.metadata.resourceVersion) return true;
  const meant = ({ metadata, ...rest }: KubeObject & { readonly status?: unknown; readonly spec?: unknown }) =>
    JSON.stringify({ ...rest, status: undefined, labels: metadata.labels, annotations: metadata.annotations });
  return meant(before) === meant(after);
}

/** Its objects can be asked for. */
async function established(cluster: Cluster, path: string, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(ESTABLISH_MS)]);
  for (;;) {
    const definition = await cluster.get<Definition>(path, late);
    const isThere = definition?.status?.conditions?.some(
      ({ type, status }) => type === 'Established' && status === 'True',
    );
    if (isThere === true) return;
    await systemClock.sleep(POLL_MS, late);
  }
}

/** Namespaces that have a controller of ours. */
async function installedIn(cluster: Cluster, signal: AbortSignal): Promise<readonly string[]> {
  const found = await ofKind(cluster, 'Deployment', undefined, signal);
  return found.filter(({ metadata }) => metadata.name === CONTROLLER).map(({ metadata }) => metadata.namespace!);
}

/** Those of a kind that we made. */
export async function ofKind(
  cluster: Cluster,
  kind: Kind,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  return (await cluster.list<KubeObject>(pathOf(kind, namespace), { labelSelector: OURS_SELECTOR }, signal)).items;
}
