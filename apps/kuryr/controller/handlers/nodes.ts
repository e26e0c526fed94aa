import { isSuperfluidityError } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { PodSubnet, ProjectDriver, SubnetDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { type Subject, subjectOf } from '../../kubernetes/objects.ts';
import type { Handler, World } from '../world.ts';

export interface NodeHandlerParts {
  readonly world: World;
  readonly projects: ProjectDriver;
  readonly subnets: SubnetDriver;
  readonly vifs: VifPools;
  /** Security groups of pods that no policy selects. */
  readonly fallback: readonly string[];
  /** Keep ports ready before the first pod comes. */
  readonly prepares: boolean;
}

/** Pods of a node that went are looked for as long as they have ports. */
const AGAIN_MS = 10_000;

/** A node gets pools, where that is wanted, and leaves none behind. */
export class NodeHandler implements Handler {
  readonly name = 'nodes';
  readonly isEverywhere = true;
  readonly #parts: NodeHandlerParts;
  /** As they were seen last. */
  readonly #gone = new Map<string, Node>();

  constructor(parts: NodeHandlerParts) {
    this.#parts = parts;
  }

  gone(node: Node): void {
    this.#gone.set(node.metadata.name, node);
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { world, vifs, prepares } = this.#parts;
    const node = world.nodes.get(key);
    if (node !== undefined) {
      this.#gone.delete(key);
      if (prepares) await this.#prepare(node, signal);
      return undefined;
    }
    const last = this.#gone.get(key);
    if (last === undefined) return undefined;
    await this.#release(last, signal);
    const told = subjectOf('v1', 'Node', last);
    // What its pods had comes back into a pool that nobody asks any more.
    const left = world.ports.all().filter(({ spec }) => spec.node === key).length;
    if (left > 0) {
      const message = `the node is gone and pods of it are not: ${left} ports are given back when their pods are deleted`;
      world.events.tell(told, { reason: 'KuryrNodeGone', message, warning: true });
      return AGAIN_MS;
    }
    await vifs.settled();
    await this.#release(last, signal);
    this.#gone.delete(key);
    world.events.tell(told, {
      reason: 'KuryrNodeReleased',
      message: 'the node is gone, and none of its ports is left',
    });
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const node = this.#parts.world.nodes.get(key);
    return node === undefined ? undefined : subjectOf('v1', 'Node', node);
  }

  /** What is left of a virtual machine that went with its node is found when the pools are compared with the cloud. */
  async #release(node: Node, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.vifs.releaseNode(node, signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-KURYR-NODE')) throw error;
    }
  }

  async #prepare(node: Node, signal: AbortSignal): Promise<void> {
    const { world, vifs, subnets, projects, fallback } = this.#parts;
    // Those that namespaces name are filled by their first pods.
    if (subnets.kind !== 'namespace') {
      const subnet = await subnets.of('', node, signal);
      await vifs.want(node, projects.of(undefined), subnet, fallback, signal);
      return;
    }
    for (const { metadata, spec, status } of world.networks.all()) {
      if (status === undefined || metadata.deletionTimestamp !== undefined) continue;
      if (!world.serves(spec.namespace)) continue;
      const subnet: PodSubnet = await subnets.of(spec.namespace, node, signal);
      await vifs.want(node, spec.project, subnet, fallback, signal);
    }
  }
}
