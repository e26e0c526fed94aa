import { SuperfluidityError, withTimeout } from '@superfluidity/core';
import type { KubeObject, Pod } from '@superfluidity/driver-kubernetes';
import { type KuryrPort, kuryrPortSchema, type PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import type { AttachmentDriver, GroupDriver, PodSubnet, ProjectDriver, SubnetDriver } from '../drivers/types.ts';
import type { VifPools, VifWish } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import { keyOf, namespaceIn, subjectOf } from '../../kubernetes/objects.ts';
import type { Stored } from '../resource-store.ts';
import type { World } from '../world.ts';
import '../errors.ts';

export interface GiverParts {
  readonly world: World;
  readonly projects: ProjectDriver;
  readonly subnets: SubnetDriver;
  readonly groups: GroupDriver;
  readonly vifs: VifPools;
  readonly attachments: AttachmentDriver;
  readonly onReady: (key: string) => void;
}

/** By name in the pod. */
export type Interfaces = Readonly<Record<string, PodInterface>>;

/** The interface that Kubernetes knows. */
const DEFAULT = 'eth0';

/** A KuryrPort, as it was read or as it is known. */
interface Port extends Pick<KuryrPort, 'spec' | 'status'> {
  readonly metadata: { readonly namespace?: string | undefined; readonly name: string };
}

/** Whose ports are those that stand in it: of this very pod, under its own name. It is known before the KuryrPort is there. */
export const holderOf = ({ metadata: { namespace, name }, spec }: Port): string =>
  holder(`${namespace}/${name}`, spec.podUid);
const holder = (key: string, podUid: string): string => `${key} ${podUid}`;

/** Of a KuryrPort that somebody else has damaged too. */
export const podUidIn = (port: unknown): unknown =>
  (port as { readonly spec?: { readonly podUid?: unknown } } | undefined)?.spec?.podUid;

interface Taken {
  readonly podUid: string;
  readonly interfaces: Interfaces;
}

interface Late extends Taken {
  readonly key: string;
  readonly untilMs: number;
}

/**
 * Takes what pods are to have out of the pools. It is kept here until it is known to be written down, so that a second attempt writes
 * the same; and it goes back when nobody can have it any more.
 */
export class Giver {
  readonly #parts: GiverParts;
  /** By key of the pod. */
  readonly #taken = new Map<string, Taken>();
  /** Of pods that are gone: it was sent to be written down, and may still arrive. */
  readonly #late = new Set<Late>();

  constructor(parts: GiverParts) {
    this.#parts = parts;
  }

  /** What lies ready, when that is all that the pod needs. Undefined: it has to wait, or there is something wrong. */
  async takeReady(key: string, pod: Pod, signal: AbortSignal): Promise<Interfaces | undefined> {
    const { world, vifs } = this.#parts;
    const podUid = pod.metadata.uid!;
    this.#forgive();
    const before = this.#of(key, podUid);
    if (before !== undefined) return before;
    const look = async () => {
      // Others may wait for the same answer of a cloud: it is not given up when it takes longer than this.
      const [only, ...others] = await this.#wishes(key, pod, pod.spec!.nodeName!, signal);
      // All of them or none, and what one cannot have the others would have to go back for.
      return others.length > 0 ? undefined : ([only![0], await vifs.ready(only![1], signal)] as const);
    };
    try {
      const found = await withTimeout(world.clock, LIMITS.readyMs, `look what is ready for ${key}`, look, signal);
      const given = await found?.[1]();
      if (given === undefined) return undefined;
      if (world.pods.get(key)?.metadata.uid === podUid) return this.#keep(key, podUid, { [found![0]]: given });
      vifs.release(given, holder(key, podUid));
    } catch {
      // Who waits for it will say what is wrong, and try again.
    }
    return undefined;
  }

  /** However long it takes. Undefined: its KuryrPort is gone meanwhile. */
  async take(key: string, port: Stored<KuryrPort>, pod: Pod, signal: AbortSignal): Promise<Interfaces | undefined> {
    this.#forgive();
    const { podUid, node } = port.spec;
    const before = this.#of(key, podUid);
    if (before !== undefined) return before;
    const wishes = await this.#wishes(key, pod, node, signal);
    const interfaces = await this.#tellIfSlow(pod, () => this.#acquire(wishes, signal));
    const now = this.#parts.world.ports.informer.get(key);
    if (now?.metadata.uid === port.metadata.uid) return this.#keep(key, podUid, interfaces);
    // It went meanwhile, and will not be told again.
    this.#release(holder(key, podUid), Object.values(interfaces));
    return undefined;
  }

  /** What is to be written down of these. */
  statusOf(pod: Pod, interfaces: Interfaces): NonNullable<KuryrPort['status']> {
    const isolated = this.#parts.groups.isolated?.(pod) ?? [];
    return { interfaces, ...(isolated.length === 0 ? {} : { isolated: [...isolated] }) };
  }

  /** It is written down. */
  given(key: string, pod: Pod, interfaces: Interfaces): void {
    const { world, onReady } = this.#parts;
    if (this.#taken.get(key)?.interfaces === interfaces) this.#taken.delete(key);
    onReady(key);
    const words = Object.entries(interfaces).map(([name, { addresses, active, plugging }]) => {
      const waits = active ? '' : ', and waits to be plugged';
      return `${name} has ${addresses.join(', ')} (${plugging.kind})${waits}`;
    });
    world.events.tell(subjectOf('v1', 'Pod', pod), { reason: 'KuryrInterfaceReady', message: words.join('; ') });
  }

  /** What stands in a KuryrPort holds, whoever wrote it: what was taken for it besides goes back. */
  settle(key: string, port: Port): void {
    const written = new Set(Object.values(port.status?.interfaces ?? {}).map(({ id }) => id));
    const rest = this.#withdraw(key, port.spec.podUid).filter(({ id }) => !written.has(id));
    this.#release(holderOf(port), rest);
  }

  /** No pod and no KuryrPort of the name is to have it. As `pending`. */
  leave(key: string): number | undefined {
    this.#drop(key);
    return this.pending(key);
  }

  /** A number: until then, what was sent for an earlier pod of the name may still arrive. */
  pending(key: string): number | undefined {
    this.#forgive();
    return this.#late.values().some((one) => one.key === key) ? LIMITS.lateMs : undefined;
  }

  /**
   * It is gone for good, and with it the last place where it stood who has its ports: only now they are given back. To be told once
   * of each. Where the controller ends before it is told, they are found by their marks and belong to nobody. Ids of these.
   */
  gone(object: KubeObject): ReadonlySet<string> {
    const port = kuryrPortSchema.safeParse(object).data;
    if (port === undefined) return new Set();
    const written = Object.values(port.status?.interfaces ?? {});
    const all = new Map([...written, ...this.#withdraw(keyOf(object), port.spec.podUid)].map((one) => [one.id, one]));
    this.#release(holderOf(port), [...all.values()]);
    return new Set(all.keys());
  }

  #of(key: string, podUid: string): Interfaces | undefined {
    const taken = this.#taken.get(key);
    return taken?.podUid === podUid ? taken.interfaces : undefined;
  }

  /** What is to be written: of two who took something for the pod at a time, the first one counts. */
  #keep(key: string, podUid: string, interfaces: Interfaces): Interfaces {
    const before = this.#of(key, podUid);
    if (before !== undefined) {
      this.#release(holder(key, podUid), Object.values(interfaces));
      return before;
    }
    this.#drop(key);
    this.#taken.set(key, { podUid, interfaces });
    return interfaces;
  }

  /** All that was taken for this pod and is still kept here. */
  #withdraw(key: string, podUid: string): readonly PodInterface[] {
    const isIts = (one: Taken) => one.podUid === podUid;
    const late = [...this.#late].filter((one) => one.key === key && isIts(one));
    for (const one of late) this.#late.delete(one);
    const taken = this.#of(key, podUid);
    if (taken !== undefined) this.#taken.delete(key);
    return [...late.map(({ interfaces }) => interfaces), taken ?? {}].flatMap((one) => Object.values(one));
  }

  #drop(key: string): void {
    const taken = this.#taken.get(key);
    if (taken === undefined) return;
    this.#taken.delete(key);
    this.#late.add({ ...taken, key, untilMs: this.#parts.world.clock.now() + LIMITS.lateMs });
  }

  /** What has not arrived by now will not, and what has is given back when it goes. */
  #forgive(): void {
    const { world } = this.#parts;
    const nowMs = world.clock.now();
    for (const one of this.#late) {
      const { key, podUid, interfaces, untilMs } = one;
      if (nowMs < untilMs || podUidIn(world.ports.informer.get(key)) === podUid) continue;
      this.#late.delete(one);
      this.#release(holder(key, podUid), Object.values(interfaces));
    }
  }

  #release(whose: string, all: readonly PodInterface[]): void {
    for (const given of all) this.#parts.vifs.release(given, whose);
  }

  async #wishes(
    key: string,
    pod: Pod,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<readonly (readonly [string, VifWish])[]> {
    const { world, projects, subnets, groups, attachments } = this.#parts;
    const namespace = namespaceIn(key);
    const node = world.nodes.get(nodeName);
    if (node === undefined)
      throw new SuperfluidityError('SF-KURYR-NODE', {
        doing: `connect pod ${key}`,
        reason: `there is no node ${nodeName}`,
        hint: 'It is tried again when the node is there: `kubectl get nodes`. Pods of a node that is gone are removed by Kubernetes.',
      });
    const project = projects.of(world.namespaces.get(namespace));
    const subnet = await subnets.of(namespace, node, signal);
    const its = await groups.of(pod, project, signal);
    const shared = { node, project, holder: holder(key, pod.metadata.uid!), owner: key };
    const more = (await attachments.of(pod, node, signal)).map(
      ({ name, network, subnet: other, groups: of }): readonly [string, VifWish] => [
        name,
        { ...shared, subnet: besides(other, subnet), groups: of, isDefault: false, attached: network },
      ],
    );
    return [[DEFAULT, { ...shared, subnet, groups: its, isDefault: true }], ...more];
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
      for (const [name, { holder: whose }] of wishes) if (taken[name] !== undefined) vifs.release(taken[name], whose);
      throw error;
    }
  }
}

/** The default route, and those that are known already, are a matter of the network of the cluster. */
function besides(subnet: PodSubnet, known: PodSubnet): PodSubnet {
  const taken = new Set(['0.0.0.0/0', ...known.routes.map(({ destination }) => destination)]);
  return { ...subnet, routes: subnet.routes.filter(({ destination }) => !taken.has(destination)) };
}
