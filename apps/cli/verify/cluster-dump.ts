import { SuperfluidityError, systemClock } from '@superfluidity/core';
import { Cluster, type KubeObject, readClusterConfig, runInside } from '@superfluidity/driver-kubernetes';
import '../errors.ts';
import type { NamedText } from '../files-into.ts';

const LISTS = {
  Pod: '/api/v1/pods',
  Namespace: '/api/v1/namespaces',
  Node: '/api/v1/nodes',
  NetworkPolicy: '/apis/networking.k8s.io/v1/networkpolicies',
} as const;
/** Of the daemons that `kuryr install` installs; they are in the network of their node. */
const DAEMONS = 'app.kubernetes.io/part-of=superfluidity-kuryr,app.kubernetes.io/component=cni';
const CONTAINER = 'daemon';
const TABLE = 'superfluidity_policies';
const LIMIT_MS = 120_000;
/** Nodes that are asked at a time. */
const AT_ONCE = 8;

export interface DumpWish {
  readonly kubeconfig: string;
  readonly context?: string;
  /** Of the daemons. */
  readonly namespace: string;
  /** Nodes whose rules are known from elsewhere. */
  readonly known: ReadonlySet<string>;
}

/**
 * What a cluster has of policies: `cluster.json` with the objects, and of each node that has a daemon of Kuryr its rules, asked
 * of nft(8) in the container of the daemon. Nothing is changed. Throws codes of the API server's answers, and `SF-CLI-FILE`.
 */
export async function dumpCluster({ kubeconfig, context, namespace, known }: DumpWish): Promise<readonly NamedText[]> {
  const config = { namespace, kubeconfig, ...(context === undefined ? {} : { context }) };
  const cluster = Cluster.open('verify', readClusterConfig('verify', config), systemClock);
  const signal = AbortSignal.timeout(LIMIT_MS);
  const lists = await Promise.all(
    Object.entries(LISTS).map(async ([kind, path]) => {
      const { items } = await cluster.list<KubeObject>(path, {}, signal);
      return items.map((item) => ({ ...item, kind }));
    }),
  );
  const files: NamedText[] = [
    {
      name: 'cluster.json',
      text: JSON.stringify({ kind: 'List', apiVersion: 'v1', items: lists.flat() }, undefined, 1),
    },
  ];
  const daemons = await cluster.list<KubeObject & { readonly spec?: { readonly nodeName?: string } }>(
    cluster.path('pods'),
    { labelSelector: DAEMONS, fieldSelector: 'status.phase=Running' },
    signal,
  );
  const waiting = daemons.items.filter(({ spec }) => spec?.nodeName !== undefined && !known.has(spec.nodeName));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      files.push({
        name: `${next.spec!.nodeName!}.nft`,
        text: await rulesOf(cluster, next.metadata.name, signal),
      });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return files;
}

/** Empty: a node with nothing to enforce has no table. */
async function rulesOf(cluster: Cluster, pod: string, signal: AbortSignal): Promise<string> {
  const tables = await nft(cluster, pod, ['list', 'tables', 'ip'], signal);
  return tables.split('\n').includes(`table ip ${TABLE}`)
    ? nft(cluster, pod, ['list', 'table', 'ip', TABLE], signal)
    : '';
}

async function nft(cluster: Cluster, pod: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  const { output, exitCode, reason } = await runInside({ cluster }, pod, ['nft', ...words], signal, CONTAINER);
  if (exitCode === 0) return output;
  throw new SuperfluidityError('SF-CLI-FILE', {
    doing: `run nft ${words.join(' ')} in pod ${pod}`,
    reason: reason ?? `it ended with ${exitCode ?? 'no code'}`,
  });
}
