import { smallest } from '@superfluidity/core';
import type { KubeObject, Pod } from '@superfluidity/driver-kubernetes';
import type { KuryrPort, PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { PORT_FINALIZER } from '../../api/port.ts';
import type { AttachmentDriver, GroupDriver, ProjectDriver } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import { NETWORK_STATUS_ANNOTATION, networkStatus } from '../translate/attachments.ts';
import { isOver, type Subject, subjectOf } from '../../kubernetes/objects.ts';
import type { Stored } from '../resource-store.ts';
import type { Handler, World } from '../world.ts';
import { type Giver, holderOf } from './giver.ts';

export interface PortHandlerParts {
  readonly world: World;
  readonly projects: ProjectDriver;
  readonly groups: GroupDriver;
  readonly vifs: VifPools;
  readonly attachments: AttachmentDriver;
  readonly giver: Giver;
}

type Port = Stored<KuryrPort>;

/**
 * A KuryrPort that was made without interfaces gets them out of the pools; it is told when they carry traffic, and gives them back at
 * its end.
 */
export class PortHandler implements Handler {
  readonly name = 'ports';
  readonly #parts: PortHandlerParts;
  /** Ports that are plugged, or will be, and carry nothing yet: since when. By id of the port. */
  readonly #inactive = new Map<string, number>();

  constructor(parts: PortHandlerParts) {
    this.#parts = parts;
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { ports, pods } = this.#parts.world;
    const port = ports.get(key);
    if (port === undefined) return undefined;
    const pod = pods.get(key);
    const isItsPod = pod?.metadata.uid === port.spec.podUid;
    if (port.metadata.deletionTimestamp !== undefined) {
      // Somebody else deleted it under a pod that runs: whoever got its address would share it.
      if (isItsPod && !isOver(pod!)) return this.#hold(pod!);
      await ports.finish(port, PORT_FINALIZER, signal);
      return undefined;
    }
    // Its end is a matter of pods.
    if (!isItsPod) return undefined;
    if (port.status === undefined) return this.#give(key, port, pod!, signal);
    this.#parts.giver.settle(key, port);
    this.#claim(port, pod!);
    const now = await this.#isolate(port, pod!, signal);
    if (now === undefined) return undefined;
    await this.#regroup(now, pod!, signal);
    const again = await this.#activate(now, pod!, signal);
    // Last: who reads it is told late rather than that anybody waits for that.
    await this.#tellNetworks(now, pod!, signal);
    return again;
  }

  /** It is gone for good. To be told once of each. */
  gone(object: KubeObject): void {
    for (const id of this.#parts.giver.gone(object)) this.#inactive.delete(id);
  }

  subject(key: string): Subject | undefined {
    const pod = this.#parts.world.pods.get(key);
    return pod === undefined ? undefined : subjectOf('v1', 'Pod', pod);
  }

  async #give(key: string, port: Port, pod: Pod, signal: AbortSignal): Promise<number | undefined> {
    const { world, giver } = this.#parts;
    const interfaces = await giver.take(key, port, pod, signal);
    if (interfaces === undefined) return undefined;
    const written = await world.ports.write(port, { status: giver.statusOf(pod, interfaces) }, signal);
    // Gone: that is told, and then what was taken is given back.
    if (written === undefined) return undefined;
    giver.given(key, pod, interfaces);
    return Object.values(interfaces).every(({ active }) => active) ? undefined : LIMITS.activePollMs;
  }

  /** On the pod, where it asked for more than one. Whoever changes it there is overruled when the pod changes. */
  async #tellNetworks(port: Port, pod: Pod, signal: AbortSignal): Promise<void> {
    const { world, attachments } = this.#parts;
    const wanted = attachments.kind === 'none' ? undefined : networkStatus(port.status!.interfaces);
    const { namespace, name, uid, annotations = {} } = pod.metadata;
    if (wanted === undefined || annotations[NETWORK_STATUS_ANNOTATION] === wanted) return;
    // What is allowed by the status of a pod cannot change what the pod runs.
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    const patch = { metadata: { uid, annotations: { [NETWORK_STATUS_ANNOTATION]: wanted } } };
    world.pods.note(await world.cluster.merge<Pod>(path, patch, signal));
  }

  /** Asks about those that do not carry traffic yet, less often the longer it takes. */
  async #activate(port: Port, pod: Pod, signal: AbortSignal): Promise<number | undefined> {
    const { world, vifs } = this.#parts;
    const { interfaces } = port.status!;
    const missing = Object.entries(interfaces).filter(([, { active }]) => !active);
    if (missing.length === 0) return undefined;
    const nowMs = world.clock.now();
    for (const [, { id }] of missing) if (!this.#inactive.has(id)) this.#inactive.set(id, nowMs);
    const waiting = new Set(this.#inactive.keys());
    const found: Record<string, PodInterface> = {};
    for (const [name, given] of missing)
      if (await vifs.isActive(given, waiting, signal)) found[name] = { ...given, active: true };
    const isAll = Object.keys(found).length === missing.length;
    if (Object.keys(found).length > 0) {
      await world.ports.write(port, { status: { ...port.status!, interfaces: { ...interfaces, ...found } } }, signal);
      for (const { id } of Object.values(found)) this.#inactive.delete(id);
      if (isAll)
        world.events.tell(subjectOf('v1', 'Pod', pod), {
          reason: 'KuryrInterfaceActive',
          message: `${missing.map(([name]) => name).join(', ')}: carries traffic`,
        });
    }
    if (isAll) return undefined;
    const sinceMs = smallest(missing.map(([, { id }]) => this.#inactive.get(id) ?? nowMs));
    const waitedMs = nowMs - sinceMs;
    if (waitedMs > LIMITS.activeMs)
      world.events.tell(subjectOf('v1', 'Pod', pod), {
        reason: 'KuryrInterfaceDown',
        message: `port ${missing[0]![1].id} is not ACTIVE: is the agent of node ${port.spec.node} alive, and has its daemon plugged it?`,
        warning: true,
      });
    return Math.max(LIMITS.activePollMs, Math.min(LIMITS.activePollLastMs, waitedMs / 10));
  }

  /** As policies are now: nodes heed it of pods whose policies they do not know yet, and so also after a start. Undefined: it is gone. */
  async #isolate(port: Port, pod: Pod, signal: AbortSignal): Promise<Port | undefined> {
    const { giver, groups, world } = this.#parts;
    if (groups.isolated === undefined) return port;
    return await world.ports.write(port, { status: giver.statusOf(pod, port.status!.interfaces) }, signal);
  }

  async #regroup(port: Port, pod: Pod, signal: AbortSignal): Promise<void> {
    const { vifs, groups, world, projects } = this.#parts;
    if (groups.kind === 'default') return;
    const project = projects.of(world.namespaces.get(port.metadata.namespace!));
    const wanted = await groups.of(pod, project, signal);
    for (const [name, given] of Object.entries(port.status!.interfaces)) {
      // Policies are about the network of the cluster.
      if (!given.isDefault) continue;
      if (!(await vifs.regroup(given, wanted, signal))) continue;
      world.events.tell(subjectOf('v1', 'Pod', pod), {
        reason: 'KuryrGroupsChanged',
        message: `${name} has security groups ${wanted.join(', ') || 'none'} now`,
      });
    }
  }

  /** Whoever wrote it. */
  #claim(port: Port, pod: Pod): void {
    const { vifs, world } = this.#parts;
    for (const given of Object.values(port.status!.interfaces)) {
      if (vifs.claim({ node: port.spec.node, holder: holderOf(port), given })) continue;
      world.events.tell(subjectOf('v1', 'Pod', pod), {
        reason: 'KuryrPortShared',
        message: `${given.addresses.join(', ')} is the address of another pod too: delete one of them`,
        warning: true,
      });
    }
  }

  #hold(pod: Pod): number {
    this.#parts.world.events.tell(subjectOf('v1', 'Pod', pod), {
      reason: 'KuryrPortHeld',
      message: 'its KuryrPort was deleted while it runs: what it has is kept until it ends',
      warning: true,
    });
    return LIMITS.resyncMs;
  }
}
