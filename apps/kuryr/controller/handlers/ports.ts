import { smallest, SuperfluidityError } from '@superfluidity/core';
import type { KubeObject, Pod } from '@superfluidity/driver-kubernetes';
import { type KuryrPort, kuryrPortSchema, type PodInterface, PORT_FINALIZER } from '../../api/port.ts';
import type { AttachmentDriver, GroupDriver, PodSubnet, ProjectDriver, SubnetDriver } from '../drivers/types.ts';
import type { VifPools, VifWish } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import { NETWORK_STATUS_ANNOTATION, networkStatus } from '../translate/attachments.ts';
import { isOver, namespaceIn, type Subject, subjectOf } from '../objects.ts';
import type { Stored } from '../resource-store.ts';
import type { Handler, World } from '../world.ts';
import '../errors.ts';

export interface PortHandlerParts {
  readonly world: World;
  readonly projects: ProjectDriver;
  readonly subnets: SubnetDriver;
  readonly groups: GroupDriver;
  readonly vifs: VifPools;
  readonly attachments: AttachmentDriver;
  readonly onReady: (key: string) => void;
}

/** The interface that Kubernetes knows. */
const DEFAULT = 'eth0';

/** The default route, and those that are known already, are a matter of the network of the cluster. */
function besides(subnet: PodSubnet, known: PodSubnet): PodSubnet {
  const taken = new Set(['0.0.0.0/0', ...known.routes.map(({ destination }) => destination)]);
  return { ...subnet, routes: subnet.routes.filter(({ destination }) => !taken.has(destination)) };
}

type Interfaces = Readonly<Record<string, PodInterface>>;
type Port = Stored<KuryrPort>;

/** A KuryrPort gets interfaces out of the pools, is told when they carry traffic, and gives them back at its end. */
export class PortHandler implements Handler {
  readonly name = 'ports';
  readonly #parts: PortHandlerParts;
  /** Taken and not written down yet: a second attempt writes the same. By uid of the KuryrPort. */
  readonly #taken = new Map<string, Interfaces>();
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
    // Written, though the answer was lost.
    this.#taken.delete(port.metadata.uid!);
    this.#claim(port, pod!);
    await this.#regroup(port, pod!, signal);
    const again = await this.#activate(port, pod!, signal);
    // Last: who reads it is told late rather than that anybody waits for that.
    await this.#tellNetworks(port, pod!, signal);
    return again;
  }

  /**
   * It is gone for good, and with it the last place where it stood who has its ports: only now they are given back. To be told once
   * of each. Where the controller ends before it is told, they are found by their marks and belong to nobody.
   */
  gone(object: KubeObject): void {
    const { vifs } = this.#parts;
    const uid = object.metadata.uid ?? '';
    const written = kuryrPortSchema.safeParse(object).data?.status?.interfaces ?? {};
    const taken = this.#taken.get(uid) ?? {};
    this.#taken.delete(uid);
    const all = [...Object.values(written), ...Object.values(taken)];
    for (const [id, given] of new Map(all.map((one) => [one.id, one]))) {
      this.#inactive.delete(id);
      vifs.release(given, uid);
    }
  }

  subject(key: string): Subject | undefined {
    const pod = this.#parts.world.pods.get(key);
    return pod === undefined ? undefined : subjectOf('v1', 'Pod', pod);
  }

  async #give(key: string, port: Port, pod: Pod, signal: AbortSignal): Promise<number | undefined> {
    const { world, projects, subnets, groups, vifs, attachments, onReady } = this.#parts;
    const { node: nodeName } = port.spec;
    const uid = port.metadata.uid!;
    let interfaces = this.#taken.get(uid);
    if (interfaces === undefined) {
      const namespace = namespaceIn(key);
      const node = world.nodes.get(nodeName);
      if (node === undefined)
        throw new SuperfluidityError('SF-KURYR-NODE', {
          doing: `connect pod ${key}`,
          reason: `there is no node ${nodeName}`,
        });
      const project = projects.of(world.namespaces.get(namespace));
      const subnet = await subnets.of(namespace, node, signal);
      const its = await groups.of(pod, project, signal);
      const shared = { node, project, holder: uid, owner: key };
      const more = (await attachments.of(pod, node, signal)).map(
        ({ name, network, subnet: other, groups: of }): readonly [string, VifWish] => [
          name,
          { ...shared, subnet: besides(other, subnet), groups: of, isDefault: false, attached: network },
        ],
      );
      interfaces = await this.#tellIfSlow(pod, () =>
        this.#acquire([[DEFAULT, { ...shared, subnet, groups: its, isDefault: true }], ...more], signal),
      );
      if (world.ports.informer.get(key)?.metadata.uid !== uid) {
        // It went meanwhile, and will not be told again.
        for (const given of Object.values(interfaces)) vifs.release(given, uid);
        return undefined;
      }
      this.#taken.set(uid, interfaces);
    }
    const written = await world.ports.write(port, { status: { interfaces } }, signal);
    // Gone: that is told, and then what was taken is given back.
    if (written === undefined) return undefined;
    this.#taken.delete(uid);
    onReady(key);
    const all = Object.entries(interfaces);
    world.events.tell(subjectOf('v1', 'Pod', pod), {
      reason: 'KuryrInterfaceReady',
      message: all
        .map(([name, { addresses, active, plugging }]) => {
          const waits = active ? '' : ', and waits to be plugged';
          return `${name} has ${addresses.join(', ')} (${plugging.kind})${waits}`;
        })
        .join('; '),
    });
    return all.every(([, { active }]) => active) ? undefined : LIMITS.activePollMs;
  }

  /** Until the cloud has answered or refused, which may take minutes, nothing else would say where the pod hangs. */
  async #tellIfSlow<T>(pod: Pod, work: () => Promise<T>): Promise<T> {
    const { clock, events } = this.#parts.world;
    const done = new AbortController();
    const words = {
      reason: 'KuryrSlow',
      message: `no interface after ${LIMITS.slowMs / 1_000} s: what makes it is slow, or does not answer`,
      warning: true,
    };
    clock.sleep(LIMITS.slowMs, done.signal).then(
      () => events.tell(subjectOf('v1', 'Pod', pod), words),
      () => {},
    );
    try {
      return await work();
    } finally {
      done.abort();
    }
  }

  /** All of them or none. */
  async #acquire(wishes: readonly (readonly [string, VifWish])[], signal: AbortSignal): Promise<Interfaces> {
    const { vifs } = this.#parts;
    const taken: Record<string, PodInterface> = {};
    try {
      for (const [name, wish] of wishes) taken[name] = await vifs.acquire(wish, signal);
      return taken;
    } catch (error) {
      for (const [name, { holder }] of wishes) if (taken[name] !== undefined) vifs.release(taken[name], holder);
      throw error;
    }
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
      await world.ports.write(port, { status: { interfaces: { ...interfaces, ...found } } }, signal);
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
      if (vifs.claim({ node: port.spec.node, holder: port.metadata.uid!, given })) continue;
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
