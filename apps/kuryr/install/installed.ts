import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { KURYR_CONFIG_KEY, KURYR_NAME } from '@superfluidity/driver-kubernetes/kuryr';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { type KuryrConfig, readKuryrConfig } from '../controller/config.ts';
import { pathOf } from './manifests.ts';
import { isOurs } from './spec.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What the controller there is configured with; undefined where there is none, or somebody made it unreadable. */
export async function installedConfig(
  cluster: Cluster,
  namespace: string,
  signal: AbortSignal,
): Promise<KuryrConfig | undefined> {
  const map = await cluster.get<ConfigMap>(pathOf('ConfigMap', namespace, KURYR_NAME), signal);
  const text = map?.data?.[KURYR_CONFIG_KEY];
  if (text === undefined || !isOurs(map?.metadata.labels)) return undefined;
  try {
    return readKuryrConfig(JSON.parse(text), `ConfigMap ${namespace}/${KURYR_NAME}`);
  } catch {
    return undefined;
  }
}

export interface InUse {
  readonly kind: string;
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly finalizers: readonly string[];
}

/** Objects in which a controller has noted what it made, in the namespaces that it serves. */
export async function objectsInUse(
  cluster: Cluster,
  served: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly InUse[]> {
  const labelSelector = Object.entries(served)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const isServed = new Set(
    labelSelector === ''
      ? []
      : (await cluster.list<KubeObject>('/api/v1/namespaces', { labelSelector }, signal)).items.map(
          ({ metadata }) => metadata.name,
        ),
  );
  const found: InUse[] = [];
  for (const resource of Object.values(RESOURCES)) {
    // They tell of pools, and stand for nothing.
    if (resource === RESOURCES.pools) continue;
    const { items } = await cluster.list<KubeObject>(resourcePath(resource), {}, signal);
    for (const { metadata } of items) {
      const { namespace = '', name, uid = '', finalizers = [] } = metadata;
      if (labelSelector !== '' && !isServed.has(namespace)) continue;
      const path = resourcePath(resource, namespace, name);
      found.push({ kind: resource.kind, path, namespace, name, uid, finalizers });
    }
  }
  return found;
}

/** `3 KuryrPorts (shop/web, shop/db, ...)`, one line for each kind. */
export function countedWords(objects: readonly InUse[]): readonly string[] {
  return Object.values(RESOURCES).flatMap(({ kind }) => {
    const names = objects.filter((one) => one.kind === kind).map(({ namespace, name }) => `${namespace}/${name}`);
    if (names.length === 0) return [];
    const [shown, more] = [names.slice(0, NAMES_SHOWN), names.length > NAMES_SHOWN ? ', ...' : ''];
    return [`${names.length} of kind ${kind} (${shown.join(', ')}${more})`];
  });
}

const NAMES_SHOWN = 3;
