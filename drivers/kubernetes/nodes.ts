import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { Environment, Host } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { offeredEnvironments } from './manifest.ts';
import { isMachine } from './nesting.ts';
import { conditionOf, type Node, type Pod } from './objects.ts';
import { mebibytes, quantity } from './quantities.ts';
import type { World } from './world.ts';

const NODES = '/api/v1/nodes';
const ALL_PODS = '/api/v1/pods';
/** What has ended takes no room. */
const ALIVE = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };
const KEEPS_AWAY = new Set(['NoSchedule', 'NoExecute']);

/** Nodes as hosts. */
export class Nodes {
  readonly #world: World;
  #known: { readonly untilMs: number; readonly hosts: Promise<readonly Host[]> } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  list(): Promise<readonly Host[]> {
    const now = this.#world.clock.now();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      const hosts = this.#read();
      const known = { untilMs: now + LIMITS.hostsKeptMs, hosts };
      this.#known = known;
      hosts.catch(() => {
        if (this.#known === known) this.#known = undefined;
      });
    }
    return this.#known.hosts;
  }

  /** Something was made or removed: what was read is not true any more. */
  changed(): void {
    this.#known = undefined;
  }

  /** Refuses a host that is not there, or too small. What is taken at this moment is the scheduler's to know. */
  async check(spec: UnitSpec, doing: string): Promise<void> {
    const hosts = await this.list();
    const host = hosts.find(({ name }) => name === spec.host);
    if (host === undefined) {
      throw new SuperfluidityError('SF-SITE-NO-HOST', {
        doing,
        reason: `${this.#world.name} has no node ${spec.host}`,
        data: { host: spec.host, known: hosts.slice(0, 100).map(({ name }) => name) },
      });
    }
    const hasVolume = this.#world.config.workloads.volumes[spec.path] !== undefined;
    for (const what of ['cpu', 'memoryMiB', 'storageMiB'] as const) {
      // A volume of its own is not taken of the node.
      if (what === 'storageMiB' && hasVolume) continue;
      if (spec[what] <= host[what]) continue;
      throw new SuperfluidityError('SF-SITE-NO-CAPACITY', {
        doing,
        reason: `${spec[what]} ${what} are asked for, ${host.name} has ${host[what]}`,
        data: { host: spec.host, what, asked: spec[what], total: host[what] },
      });
    }
  }

  async isLost(name: string, signal: AbortSignal): Promise<boolean> {
    const node = await this.#world.cluster.get<Node>(`${NODES}/${name}`, signal);
    return node === undefined || !isUp(node);
  }

  async #read(): Promise<readonly Host[]> {
    const { cluster, config } = this.#world;
    const signal = this.#world.ask();
    const labelSelector = config.only?.join(',');
    const query: Record<string, string> = labelSelector === undefined ? {} : { labelSelector };
    const [{ items: nodes }, pods] = await Promise.all([cluster.list<Node>(NODES, query, signal), this.#pods(signal)]);
    const used = new Map<string, { cpu: number; memoryMiB: number; storageMiB: number }>();
    for (const pod of pods) {
      const node = pod.spec?.nodeName;
      if (node === undefined) continue;
      const sum = used.get(node) ?? { cpu: 0, memoryMiB: 0, storageMiB: 0 };
      const requests = (pod.spec?.containers ?? []).map(({ resources }) => resources?.requests);
      for (const taken of [...requests, pod.spec?.overhead]) {
        sum.cpu += quantity(taken?.['cpu']);
        sum.memoryMiB += mebibytes(taken?.['memory']);
        sum.storageMiB += mebibytes(taken?.['ephemeral-storage']);
      }
      used.set(node, sum);
    }
    const environments = offeredEnvironments(config);
    return nodes.map((node) => hostOf(node, environments, used.get(node.metadata.name)));
  }

  /** Of the whole cluster, where that may be seen; else only ours are known to take room. */
  async #pods(signal: AbortSignal): Promise<readonly Pod[]> {
    const { cluster } = this.#world;
    try {
      return (await cluster.list<Pod>(ALL_PODS, ALIVE, signal, { isOptional: true })).items;
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
      return (await cluster.list<Pod>(cluster.path('pods'), ALIVE, signal)).items;
    }
  }
}

function hostOf(
  node: Node,
  environments: readonly Environment[],
  used: Host['used'] = { cpu: 0, memoryMiB: 0, storageMiB: 0 },
): Host {
  const { allocatable } = node.status ?? {};
  const isTainted = node.spec?.taints?.some(({ effect }) => KEEPS_AWAY.has(effect)) === true;
  return {
    name: node.metadata.name,
    environments,
    accelerators: [],
    cpu: quantity(allocatable?.['cpu']),
    memoryMiB: Math.floor(mebibytes(allocatable?.['memory'])),
    storageMiB: Math.floor(mebibytes(allocatable?.['ephemeral-storage'])),
    used,
    schedulable: isUp(node) && node.spec?.unschedulable !== true && !isTainted,
    ...(isMachine(node) ? { virtual: true } : {}),
  };
}

export function isUp(node: Node): boolean {
  return conditionOf(node, 'Ready')?.status === 'True';
}
