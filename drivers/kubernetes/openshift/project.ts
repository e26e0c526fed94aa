import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { LIMITS } from '../config.ts';
import { LABELS, MANAGER } from '../marks.ts';
import type { ConfigMap, KubeObject } from '../objects.ts';
import type { World } from '../world.ts';

const PROJECTS = 'project.openshift.io/v1';

interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string };
}

/**
 * Makes the namespace of the site where it is missing and that is wanted: as a project where the cluster is OpenShift, whose
 * users ask for projects and make no namespaces. That it was made here is written into it.
 */
export async function ensureNamespace(world: World): Promise<void> {
  const { cluster, config, discovery, marks, name, clock } = world;
  if (!config.createNamespace) return;
  const signal = AbortSignal.any([world.ask(), AbortSignal.timeout(LIMITS.askMs)]);
  const phase = await phaseOf(world, signal);
  if (phase === 'Active') return;
  if (phase !== undefined) {
    throw new SuperfluidityError('SF-SITE-UNAVAILABLE', {
      doing: `make namespace ${cluster.namespace}`,
      reason: 'the one of this name is being removed',
    });
  }
  const isProject = (await discovery.groups(signal)).has('project.openshift.io');
  const metadata = { name: cluster.namespace };
  if (isProject)
    await cluster.create(
      `/apis/${PROJECTS}/projectrequests`,
      {
        apiVersion: PROJECTS,
        kind: 'ProjectRequest',
        metadata,
        displayName: `Superfluidity site ${name}`,
      },
      signal,
    );
  else await cluster.apply(namespacePath(world), { apiVersion: 'v1', kind: 'Namespace', metadata }, signal);
  while ((await phaseOf(world, signal)) !== 'Active') await clock.sleep(LIMITS.pauseMs, signal);
  await accountIsThere(world, signal);
  const mark: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: marks.namespaceName, namespace: cluster.namespace, labels: marks.labels() },
  };
  await cluster.apply(cluster.path('configmaps', marks.namespaceName), mark, signal);
}

/** Without the account that pods get, no pod is made; a controller makes it in each new namespace. */
async function accountIsThere({ cluster, clock }: World, signal: AbortSignal): Promise<void> {
  try {
    const path = cluster.path('serviceaccounts', 'default');
    while ((await cluster.get(path, signal)) === undefined) await clock.sleep(LIMITS.pauseMs, signal);
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
  }
}

/** With purge, when it was made here and nobody else has something in it. Its name when it was removed. */
export async function removeNamespace(world: World, signal: AbortSignal): Promise<string | undefined> {
  const { cluster, clock, discovery, log } = world;
  const others = await whatOthersHave(world, signal);
  if (others.length > 0) {
    log.warn({ site: world.name, namespace: cluster.namespace, others }, 'others use the namespace: it stays');
    return undefined;
  }
  const isProject = (await discovery.groups(signal)).has('project.openshift.io');
  const project = `/apis/${PROJECTS}/projects/${cluster.namespace}`;
  await cluster.delete(isProject ? project : namespacePath(world), undefined, signal);
  while ((await phaseOf(world, signal)) !== undefined) await clock.sleep(LIMITS.pauseMs, signal);
  return cluster.namespace;
}

/** Each namespace has these. */
const EVERYWHERE = new Set(['kube-root-ca.crt', 'openshift-service-ca.crt']);

async function whatOthersHave({ cluster, marks }: World, signal: AbortSignal): Promise<readonly string[]> {
  const { items: pods } = await cluster.list<KubeObject>(cluster.path('pods'), {}, signal);
  const { items: maps } = await cluster.list<KubeObject>(cluster.path('configmaps'), {}, signal);
  const ours = marks.labels();
  return [...pods, ...maps]
    .filter(({ metadata }) => !EVERYWHERE.has(metadata.name))
    .filter(
      ({ metadata: { labels = {} } }) =>
        labels[LABELS.manager] !== MANAGER || labels[LABELS.site] !== ours[LABELS.site],
    )
    .map(({ metadata }) => metadata.name);
}

const namespacePath = ({ cluster }: World): string => `/api/v1/namespaces/${cluster.namespace}`;

/**
 * Undefined when it is not there, or may not be seen: in OpenShift, what is not there is refused to who may not make namespaces,
 * and not missing.
 */
async function phaseOf(world: World, signal: AbortSignal): Promise<string | undefined> {
  try {
    const found = await world.cluster.get<Namespace>(namespacePath(world), signal);
    return found === undefined ? undefined : (found.status?.phase ?? 'Active');
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
    return undefined;
  }
}
