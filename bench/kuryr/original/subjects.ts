import { systemClock } from '@superfluidity/core';
import type { Lab as OpenStackLab } from '../../../lab/openstack/lab.ts';
import { ovsSocket } from '../../../lab/openstack/services/ovs.ts';
import { logPath } from '../../../lab/processes.ts';
import { CloudPart } from '../cloud-part.ts';
import { ClusterPart } from '../cluster-part.ts';
import { BenchNode } from '../node.ts';
import type { PlayedNode } from '../played-node.ts';
import { fill, POOLS, settle } from '../settle.ts';
import type { usageOf } from '../usage.ts';
import { NeutronCalls } from './calls.ts';
import { UPDATE_S } from './config.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Installed } from './install.ts';
import { OriginalNode } from './node.ts';
import { OriginalPrograms } from './programs.ts';

export type Mode = 'demand' | 'pool';

/** Where both are measured, one after the other. */
export interface Place {
  readonly plane: ControlPlane;
  readonly openstack: OpenStackLab;
  readonly installed: Installed;
}

/** Ours or the original in a namespace and a project of its own, with this machine as its only node. */
export interface Running extends AsyncDisposable {
  readonly node: PlayedNode;
  readonly calls: NeutronCalls;
  /** After a round of so many pods: as before the first one. */
  settle(pods: number): Promise<void>;
  /** Of the controller. */
  usage(): ReturnType<typeof usageOf>;
}

/** With so many ports in the pool, where there is one. */
export type Open = (place: Place, mode: Mode, ports: number) => Promise<Running>;

/** Between a port's return and the end of the look that finds it. */
const RECYCLE_MS = (UPDATE_S + 5) * 1_000;
const OWN = '/apis/openstack.org/v1/namespaces';

export async function openOurs(place: Place, mode: Mode, ports: number): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const { cluster, cloud, calls, node: named } = await openPlace(place, parts);
  const node = parts.use(await BenchNode.metal(named, ovsSocket(place.openstack).slice('unix:'.length)));
  if (mode === 'pool') await fill({ cluster, cloud }, ['neutron-vif'], ports);
  const { neutron, env } = cloud.settings(cluster.folder);
  const config = { drivers: { vif: 'neutron-vif' }, neutron, pool: POOLS[mode], linux: undefined };
  const controller = parts.adopt(await cluster.controller(config, env), (it) => it.stop());
  const ready = mode === 'pool' ? ports : 0;
  const kept = parts.move();
  return {
    node,
    calls,
    settle: () => settle({ cluster, cloud, controller, vif: 'neutron-vif', ready }),
    usage: () => controller.usage(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export async function openOriginal(place: Place, mode: Mode, ports: number): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const { cluster, cloud, calls, node: named } = await openPlace(place, parts);
  const { plane, openstack, installed } = place;
  const programs = parts.use(
    await OriginalPrograms.start({
      lab: plane.lab,
      openstack,
      cloud,
      host: cloud.host,
      bin: installed.bin,
      tag: cluster.namespace,
      batch: mode === 'pool' ? ports : undefined,
    }),
  );
  const left = `${OWN}/${cluster.namespace}/kuryrports`;
  // What holds pods by a finalizer gives them free only while it runs.
  parts.defer(() => cluster.untilEmpty(left).catch(() => {}));
  const node = parts.use(await OriginalNode.open(named, ovsSocket(openstack)));
  const kept = parts.move();
  return {
    node,
    calls,
    settle: async (pods) => {
      await cluster.untilEmpty(left);
      if (mode === 'demand') await cloud.untilOnlyNode();
      // Of singles, each takes another port.
      else if (pods > 1) await systemClock.sleep(RECYCLE_MS);
    },
    usage: () => programs.usage(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function openPlace({ plane, openstack }: Place, parts: AsyncDisposableStack) {
  const opened = <T extends { close(): Promise<void> }>(one: T) => parts.adopt(one, (it) => it.close());
  const cluster = opened(await ClusterPart.open(plane.lab));
  const cloud = opened(await CloudPart.open());
  await cluster.addNode(cloud.host, {});
  const { api, namespace, kubeconfig } = cluster;
  const calls = new NeutronCalls(logPath(openstack.paths, 'neutron-server'), cloud.project.id);
  return { cluster, cloud, calls, node: { api, namespace, kubeconfig, name: cloud.host } };
}
