import { isSuperfluidityError } from '@superfluidity/core';
import type { DescriptionTable, SiteDescription } from '@superfluidity/site';
import { conditionOf, type KubeObject, type Node } from './objects.ts';
import type { Right } from './rights.ts';
import { runtimeClassTable } from './runtime-classes.ts';
import type { World } from './world.ts';

interface Quota extends KubeObject {
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/** Nodes and quotas, for people. */
export async function describeCluster(world: World): Promise<SiteDescription> {
  const { cluster } = world;
  const signal = world.ask();
  const nodes = await cluster.list<Node>('/api/v1/nodes', {}, signal);
  return {
    tables: [
      {
        title: 'Nodes',
        columns: ['name', 'ready', 'kubelet', 'runtime', 'kernel', 'pods'],
        rows: nodes.items.map((node) => [
          node.metadata.name,
          conditionOf(node, 'Ready')?.status ?? 'Unknown',
          node.status?.nodeInfo?.['kubeletVersion'] ?? '',
          node.status?.nodeInfo?.['containerRuntimeVersion'] ?? '',
          node.status?.nodeInfo?.['kernelVersion'] ?? '',
          node.spec?.podCIDR ?? '',
        ]),
      },
      await quotaTable(world, signal),
      await runtimeClassTable(world, signal),
      await rightsTable(world, signal),
    ],
  };
}

/** What is good to have beside pods and what they need. */
const RIGHTS: readonly (readonly [what: string, right: Right])[] = [
  ['tell what happens to units while they are made', { verb: 'watch', resource: 'events' }],
  ['variables of units', { verb: 'patch', resource: 'secrets' }],
  ['balancers', { verb: 'patch', resource: 'endpointslices', group: 'discovery.k8s.io' }],
  ['deployments and stateful sets', { verb: 'patch', resource: 'deployments', group: 'apps' }],
  ['jobs', { verb: 'patch', resource: 'jobs', group: 'batch' }],
  ['what others take of the hosts', { verb: 'list', resource: 'pods', everywhere: true }],
  ['what units take', { verb: 'get', resource: 'nodes', subresource: 'proxy', everywhere: true }],
];

async function rightsTable({ rights }: World, signal: AbortSignal): Promise<DescriptionTable> {
  const rows = await Promise.all(
    RIGHTS.map(async ([what, right]) => {
      const { verb, resource, subresource, group } = right;
      const name = `${resource}${group === undefined ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
      return [what, `${verb} ${name}`, (await rights.has(right, signal)) ? 'yes' : 'no'];
    }),
  );
  return { title: 'Rights of the user', columns: ['for', 'what', 'allowed'], rows };
}

async function quotaTable(world: World, signal: AbortSignal): Promise<DescriptionTable> {
  const { cluster } = world;
  const table = { title: `Quotas of namespace ${cluster.namespace}`, columns: ['what', 'used', 'limit'] };
  try {
    const { items } = await cluster.list<Quota>(cluster.path('resourcequotas'), {}, signal);
    const rows = items.flatMap(({ status }) =>
      Object.entries(status?.hard ?? {}).map(([what, limit]) => [what, status?.used?.[what] ?? '0', limit]),
    );
    return rows.length === 0 ? { ...table, rows, note: 'there are none' } : { ...table, rows };
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
    return { ...table, rows: [], note: 'the user of the site may not see them' };
  }
}
