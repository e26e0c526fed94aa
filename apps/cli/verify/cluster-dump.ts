import { canonicalJson, SuperfluidityError, systemClock } from '@superfluidity/core';
import { Cluster, type KubeObject, readClusterConfig, runInside } from '@superfluidity/driver-kubernetes';
import {
  KURYR_API,
  KURYR_DAEMON_CONTAINER,
  KURYR_NAME,
  KURYR_POLICIES_TABLE,
  KURYR_PORT,
  kuryrPodLabels,
} from '@superfluidity/driver-kubernetes/kuryr';
import type { ClusterState } from '@superfluidity/verify';
import '../errors.ts';
import type { NamedText } from '../files-into.ts';
import { readObjects } from './cluster-objects.ts';
import { type CloudPort, cloudPortsIn, kuryrPort } from './kuryr-objects.ts';

const LISTS = {
  Pod: '/api/v1/pods',
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  NetworkPolicy: '/apis/networking.k8s.io/v1/networkpolicies',
  [KURYR_PORT.kind]: `/apis/${KURYR_API}/${KURYR_PORT.plural}`,
} as const;
const OBJECTS = 'cluster.json';
/** Of the daemons that `kuryr install` installs; they are in the network of their node. */
const DAEMONS = Object.entries(kuryrPodLabels('cni'))
  .map(([key, value]) => `${key}=${value}`)
  .join(',');
const LIMIT_MS = 120_000;
/** Nodes that are asked at a time. */
const AT_ONCE = 8;
/** How often all is read until no object changes meanwhile. */
const ROUNDS = 3;
const ROUND_MS = 1_000;
const CHANGES_SHOWN = 5;

export interface DumpWish {
  readonly kubeconfig: string;
  readonly context?: string;
  /** Of the daemons. */
  readonly namespace: string;
  /** Nodes whose rules are known from elsewhere. */
  readonly known: ReadonlySet<string>;
  /** Of clouds.yaml: where ports of pods are. */
  readonly cloud?: string;
}

export interface ClusterDump {
  readonly files: readonly NamedText[];
  /** Objects that changed while the rest was read, each time that was tried. */
  readonly changed: readonly string[];
  /** Pods with a port in a cloud that was not asked. */
  readonly unasked: number;
}

interface Installed {
  readonly files: readonly NamedText[];
  readonly unasked: number;
}

/**
 * What a cluster has of policies: `cluster.json` with the objects; of each node that has a daemon of Kuryr its rules, asked of nft(8)
 * in the container of the daemon; and of a cloud the groups of pods' ports. Objects are read before and after the rest, and all is
 * read again where they differ. Nothing is changed. Throws codes of the API server's and the cloud's answers, and `SF-CLI-FILE`.
 */
export async function dumpCluster(wish: DumpWish): Promise<ClusterDump> {
  const { kubeconfig, context, namespace } = wish;
  const config = { namespace, kubeconfig, ...(context === undefined ? {} : { context }) };
  const cluster = Cluster.open('verify', readClusterConfig('verify', config), systemClock);
  const signal = AbortSignal.timeout(LIMIT_MS);
  for (let round = 1; ; round += 1) {
    const objects = await objectsOf(cluster, signal);
    const { files, unasked } = await installedIn(cluster, wish, objects.ports, signal);
    const changed = changesBetween(objects.state, (await objectsOf(cluster, signal)).state);
    if (changed.length === 0 || round === ROUNDS) return { files: [objects.file, ...files], changed, unasked };
    await systemClock.sleep(ROUND_MS, signal);
  }
}

interface Objects {
  readonly file: NamedText;
  readonly state: ClusterState;
  readonly ports: readonly CloudPort[];
}

async function objectsOf(cluster: Cluster, signal: AbortSignal): Promise<Objects> {
  const [config, ...lists] = await Promise.all([
    cluster.get<KubeObject>(cluster.path('configmaps', KURYR_NAME), signal),
    ...Object.entries(LISTS).map(async ([kind, path]) => {
      const { items } = await cluster.list<KubeObject>(path, {}, signal);
      return items.map((item) => ({ ...item, kind }));
    }),
  ]);
  const items = [...lists.flat(), ...(config === undefined ? [] : [{ ...config, kind: 'ConfigMap' }])];
  const text = JSON.stringify({ kind: 'List', apiVersion: 'v1', items }, undefined, 1);
  const ports = items
    .filter(({ kind }) => kind === KURYR_PORT.kind)
    .flatMap((item) => kuryrPort.safeParse(item).data ?? []);
  return {
    file: { name: OBJECTS, text },
    state: readObjects([{ path: OBJECTS, text }]),
    ports: cloudPortsIn(ports),
  };
}

/** In words; of what policies ask about alone: nodes say every few minutes that they live. */
export function changesBetween(before: ClusterState, after: ClusterState): readonly string[] {
  const [was, is] = [before, after].map(wordsOf) as [Words, Words];
  const changed = [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
  const more = changed.length - CHANGES_SHOWN;
  return [...changed.slice(0, CHANGES_SHOWN), ...(more > 0 ? [`${more} more`] : [])];
}

type Words = ReadonlyMap<string, string>;

function wordsOf({ pods, namespaces, policies, nodes, served }: ClusterState): Words {
  const named = <T extends { readonly namespace: string; readonly name: string }>(kind: string, all: readonly T[]) =>
    all.map((one): [string, string] => [`${kind} ${one.namespace}/${one.name}`, canonicalJson(one)]);
  return new Map([
    ...named('Pod', pods),
    ...named('NetworkPolicy', policies),
    ...[...namespaces].map(([name, labels]): [string, string] => [`Namespace ${name}`, canonicalJson(labels)]),
    ...nodes.map((node): [string, string] => [`Node ${node.name}`, canonicalJson(node)]),
    ['namespaces that are served', canonicalJson([...(served ?? [])].toSorted())],
  ]);
}

async function installedIn(
  cluster: Cluster,
  { known, cloud }: DumpWish,
  ports: readonly CloudPort[],
  signal: AbortSignal,
): Promise<Installed> {
  const ofCloud = new Set(ports.map(({ node }) => node));
  const daemons = await cluster.list<KubeObject & { readonly spec?: { readonly nodeName?: string } }>(
    cluster.path('pods'),
    { labelSelector: DAEMONS, fieldSelector: 'status.phase=Running' },
    signal,
  );
  const waiting = daemons.items.flatMap(({ metadata, spec: { nodeName = '' } = {} }) =>
    // Where pods have ports of a cloud, it is the cloud that filters: that a node does not is no answer.
    nodeName === '' || known.has(nodeName) || ofCloud.has(nodeName) || metadata.deletionTimestamp !== undefined
      ? []
      : [{ pod: metadata.name, nodeName }],
  );
  const files: NamedText[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      files.push({ name: `${next.nodeName}.nft`, text: await rulesOf(cluster, next.pod, signal) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (cloud === undefined) return { files, unasked: ports.length };
  const { dumpGroups } = await import('@superfluidity/driver-openstack/group-dump');
  const ids = ports.flatMap(({ id, isFiltered }) => (isFiltered ? [id] : []));
  return { files: [...files, ...(await dumpGroups({ cloud, ports: ids }, signal))], unasked: 0 };
}

/** Empty: a node with nothing to enforce has no table. */
async function rulesOf(cluster: Cluster, pod: string, signal: AbortSignal): Promise<string> {
  const tables = await nft(cluster, pod, ['list', 'tables', 'ip'], signal);
  return tables.split('\n').includes(`table ip ${KURYR_POLICIES_TABLE}`)
    ? nft(cluster, pod, ['list', 'table', 'ip', KURYR_POLICIES_TABLE], signal)
    : '';
}

async function nft(cluster: Cluster, pod: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  const { output, exitCode, reason } = await runInside(
    { cluster },
    pod,
    ['nft', ...words],
    signal,
    KURYR_DAEMON_CONTAINER,
  );
  if (exitCode === 0) return output;
  throw new SuperfluidityError('SF-CLI-FILE', {
    doing: `run nft ${words.join(' ')} in pod ${pod}`,
    reason: reason ?? `it ended with ${exitCode ?? 'no code'}`,
  });
}
