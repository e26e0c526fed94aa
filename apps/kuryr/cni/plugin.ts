import { isSuperfluidityError, type Logger, Turns, Turnstile } from '@superfluidity/core';
import type { KuryrPort, PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { deviceOf } from '../api/device.ts';
import { type Attachment, attachmentKey, type Attachments, type Interrupted } from './attachments.ts';
import { check } from './check.ts';
import { LIMITS } from './limits.ts';
import type { NodeNetwork } from './node-network.ts';
import { plannedOver, plugPrepared, preparedOn } from './plug-ahead.ts';
import { leaveNetns, netnsId, plug, planned, unplug, type Wish } from './plug.ts';
import { type PodRef, CniError, CODES, type CniResult, type Request } from './specification.ts';
import { type PortRegistry, podKey } from './registry.ts';
import { inVersion, type Plugged, resultOf } from './result.ts';
import { Spares, type SpareSink } from './spares.ts';
import { sweep } from './sweep.ts';

export interface PluginOptions {
  readonly node: NodeNetwork;
  readonly registry: PortRegistry;
  readonly attachments: Attachments;
  readonly log: Logger;
  /** An interface that was plugged ahead was used, or was not. */
  readonly onPrepared: (isUsed: boolean) => void;
  /** What an ADD had plugged was removed, since nobody was answered. */
  readonly onInterrupted?: (pod: Interrupted) => void;
  /** The kernel has closed what policies close of the pods that the registry knows. */
  readonly untilIsolated?: (signal: AbortSignal) => Promise<void>;
  /** How long something stays plugged that nobody wants, where it may be wanted again soon. */
  readonly graceMs?: number;
}

/** How ADD left the pod while it waited: what it waits for is said when it gave up. */
type Awaited =
  | 'the list of ports'
  | 'its port'
  | 'its interfaces'
  | 'its interfaces to carry traffic'
  | 'what policies close to be closed';

/** What a runtime of containers asks for, carried out. */
export class Plugin {
  readonly #node: NodeNetwork;
  readonly #registry: PortRegistry;
  readonly #attachments: Attachments;
  readonly #log: Logger;
  readonly #onInterrupted: NonNullable<PluginOptions['onInterrupted']>;
  readonly #untilIsolated: NonNullable<PluginOptions['untilIsolated']>;
  readonly #turns = new Turns();
  readonly #slots = new Turnstile(LIMITS.atOnce);
  readonly #spares: Spares;
  /** ADDs under way or waiting for their turn, so that DEL ends what it is about to remove. */
  readonly #adding = new Map<string, { readonly pod: string; readonly controllers: Set<AbortController> }>();

  constructor(options: PluginOptions) {
    const { node, registry, attachments, log, onPrepared, graceMs = LIMITS.graceMs } = options;
    this.#node = node;
    this.#registry = registry;
    this.#attachments = attachments;
    this.#log = log;
    this.#onInterrupted = options.onInterrupted ?? (() => {});
    this.#untilIsolated = options.untilIsolated ?? (async () => {});
    const isTaken = (pod: string) => this.#isAdding(pod) || attachments.all().some((one) => one.pod === pod);
    const isAttached = (device: string) => this.#isAttached(device);
    this.#spares = new Spares({ node, isTaken, isAttached, onEnd: onPrepared, graceMs });
  }

  /** To be told what lies ready in the pools of this node. */
  get spares(): SpareSink & { readonly size: number } {
    return this.#spares;
  }

  /** Takes up what a daemon before this one left; from now on ports are plugged ahead. */
  async resume(signal: AbortSignal): Promise<void> {
    this.#registry.onChange((key, port) => this.#spares.look(key, port));
    // A node without Open vSwitch has nothing in it.
    const ports = await this.#node.vswitch.ownPorts(this.#node.name, signal).catch(() => []);
    this.#spares.adopt(preparedOn(this.#node, ports));
    await this.tidy(signal);
  }

  /**
   * Removes what nobody counts on: what an ADD that was not answered had plugged, since its runtime was told that it failed; what
   * was plugged into namespaces that are gone, since runtimes before 1.1 tell of no garbage; what has our mark and belongs to nothing.
   */
  async tidy(signal: AbortSignal): Promise<void> {
    for (const attachment of this.#attachments.all()) {
      const { result, netns, netnsId: id, pod } = attachment;
      if (this.#isAdding(pod)) continue;
      const isThere = netnsId(netns) === id;
      leaveNetns(netns);
      if (result !== undefined && isThere) continue;
      this.#log.info(shownOf(attachment), 'an attachment that nobody counts on is removed');
      await this.#turns
        .take(pod, () => this.#removeStill(attachment, signal))
        .then(
          () => (result === undefined ? this.#onInterrupted(attachment) : undefined),
          (error: unknown) => this.#log.warn({ ...shownOf(attachment), error: String(error) }, 'it is removed later'),
        );
    }
    await this.#sweep(signal);
    this.#spares.again();
  }

  #isAttached(device: string): boolean {
    return this.#attachments.all().some(({ made }) => made.some((one) => one.device === device));
  }

  #isAdding(pod: string): boolean {
    return this.#adding.values().some((adding) => adding.pod === pod);
  }

  /** What was plugged ahead for a pod and is not used; attachments stay, and what lies ready in pools. */
  async close(): Promise<void> {
    await this.#spares.close();
  }

  /** Undefined where the verb has no result. Throws `CniError`. */
  async run(request: Request): Promise<CniResult | undefined> {
    try {
      switch (request.verb) {
        case 'ADD':
          return inVersion(await this.#add(request), request.configuration);
        case 'DEL':
          return await this.#delete(request);
        case 'CHECK':
          return await this.#check(request);
        case 'STATUS':
          return await this.#status();
        case 'GC':
          return await this.#collect(request);
        case 'VERSION':
          throw new CniError(CODES.environment, 'the executable answers VERSION');
      }
    } catch (error) {
      throw refusalOf(error);
    }
  }

  async #add(request: Request): Promise<CniResult> {
    const { container, interface: name, netns, pod } = request as Required<Request>;
    const id = attachmentKey(container, name);
    const key = podKey(pod.namespace, pod.name);
    const ended = new AbortController();
    const adding = this.#adding.get(id) ?? { pod: key, controllers: new Set() };
    this.#adding.set(id, adding);
    adding.controllers.add(ended);
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(LIMITS.addMs)]);
    try {
      // One pod after the other: a second ADD of the same attachment finds what the first one made.
      return await this.#turns.take(key, async () => {
        const known = this.#attachments.get(container, name);
        if (known?.result !== undefined && known.netnsId === netnsId(netns)) return known.result;
        return await this.#plugAll(request as Required<Request>, key, signal);
      });
    } finally {
      adding.controllers.delete(ended);
      if (adding.controllers.size === 0) {
        this.#adding.delete(id);
        leaveNetns(netns);
      }
    }
  }

  async #plugAll(request: Required<Request>, key: string, signal: AbortSignal): Promise<CniResult> {
    const { container, interface: name, netns, pod, configuration } = request;
    let awaited: Awaited = this.#registry.isKnown ? 'its port' : 'the list of ports';
    const later = (error: unknown): unknown => {
      if (!signal.aborted) return error;
      if (signal.reason instanceof CniError) return signal.reason;
      return new CniError(CODES.again, 'the pod has no network yet', `waited for ${awaited}`);
    };
    const wishes = await this.#registry
      .until(
        key,
        (port) => {
          if (isOf(port, pod)) awaited = 'its interfaces';
          return isOf(port, pod) ? wishesIn(port, request) : undefined;
        },
        signal,
      )
      .catch((error: unknown) => Promise.reject(later(error)));
    const namespaceId = netnsId(netns);
    if (namespaceId === undefined) throw new CniError(CODES.environment, 'CNI_NETNS names no network namespace', netns);

    // An older sandbox of the pod: its DEL may come late, and the ports are wanted here.
    for (const older of this.#attachments.all()) if (older.pod === key) await this.#remove(older, signal);
    const begun: Attachment = {
      container,
      interface: name,
      network: configuration.name,
      pod: key,
      podUid: wishes[0]!.podUid,
      netns,
      netnsId: namespaceId,
      made: wishes.map((wish) =>
        this.#spares.begin(key, wish.wish) ? plannedOver(this.#node, wish) : planned(this.#node, wish),
      ),
    };
    this.#attachments.put(begun);
    try {
      const plugged: Plugged[] = [];
      try {
        for (const wish of wishes)
          plugged.push(await this.#slots.pass('plug', undefined, () => this.#plug(wish, signal)));
      } finally {
        this.#spares.serve(key, wishes[0]!.podUid);
      }
      awaited = 'its interfaces to carry traffic';
      const { status } = await this.#registry.until(key, (port) => activeOf(port, pod), signal);
      // A pod is isolated before its first container starts, as the API of NetworkPolicies has it.
      if (status?.isolated !== undefined) {
        awaited = 'what policies close to be closed';
        await this.#untilIsolated(signal);
      }
      const result = resultOf(plugged, configuration);
      this.#attachments.put({ ...begun, result });
      return result;
    } catch (error) {
      // The time of ADD may be over; that of tidying up is not.
      await this.#remove(begun, AbortSignal.timeout(LIMITS.otherMs)).catch((cause: unknown) =>
        this.#log.warn({ ...shownOf(begun), error: String(cause) }, 'what was plugged is removed later'),
      );
      throw later(error);
    }
  }

  async #plug(wish: Wish, signal: AbortSignal): Promise<Plugged> {
    const device = deviceOf(wish.wish.id);
    const prepared = await this.#spares.take(device);
    if (prepared === undefined) return plug(this.#node, wish, signal);
    try {
      return await plugPrepared(this.#node, wish, prepared);
    } catch (error) {
      this.#spares.spoil(device);
      throw error;
    }
  }

  async #delete({ container, interface: name }: Request): Promise<undefined> {
    const adding = this.#adding.get(attachmentKey(container!, name!));
    for (const controller of adding?.controllers ?? [])
      controller.abort(new CniError(CODES.again, 'the interface is deleted while it is added'));
    const pod = this.#attachments.get(container!, name!)?.pod ?? adding?.pod;
    // Of an older sandbox, deleted before, or never there: that is as it was asked for.
    if (pod === undefined) return undefined;
    return this.#turns.take(pod, async () => {
      const found = this.#attachments.get(container!, name!);
      if (found !== undefined) await this.#remove(found, AbortSignal.timeout(LIMITS.otherMs));
      return undefined;
    });
  }

  async #check({ container, interface: name, netns, configuration }: Request): Promise<undefined> {
    const { prevResult } = configuration;
    if (prevResult === undefined) throw new CniError(CODES.configuration, 'CHECK needs prevResult');
    const found = this.#attachments.get(container!, name!);
    if (found?.result === undefined)
      throw new CniError(CODES.unknownContainer, `nothing is plugged for container ${container}, interface ${name}`);
    await check(this.#node, found, netns!, prevResult, AbortSignal.timeout(LIMITS.otherMs));
    return undefined;
  }

  async #status(): Promise<undefined> {
    if (!this.#registry.isKnown)
      throw new CniError(
        CODES.unavailable,
        'what pods are to have is not known yet',
        'the API server was not heard of',
      );
    if (this.#attachments.size >= LIMITS.attachments)
      throw new CniError(CODES.unavailable, `the node has ${LIMITS.attachments} interfaces of pods already`);
    const uses =
      this.#node.trunk.bridge !== undefined || this.#attachments.all().some(({ made }) => made.some(inVSwitch));
    if (!uses) return undefined;
    await this.#node.vswitch.ping(AbortSignal.timeout(LIMITS.otherMs)).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CniError(CODES.limited, 'Open vSwitch of this node does not answer', reason);
    });
    return undefined;
  }

  /** Section 4, "GC". Runtimes do not add or delete meanwhile; what they do all the same is left alone. */
  async #collect({ configuration: { name, valid = [] } }: Request): Promise<undefined> {
    const signal = AbortSignal.timeout(LIMITS.otherMs);
    const kept = new Set(valid.map(({ containerID, ifname }) => attachmentKey(containerID, ifname)));
    const failures: string[] = [];
    for (const attachment of this.#attachments.all()) {
      const id = attachmentKey(attachment.container, attachment.interface);
      const isUsed = kept.has(id) && attachment.result !== undefined;
      if (attachment.network !== name || isUsed || this.#adding.has(id)) continue;
      await this.#turns
        .take(attachment.pod, () => this.#removeStill(attachment, signal))
        .catch((error: unknown) => failures.push(`${id}: ${String(error)}`));
    }
    await this.#sweep(signal).catch((error: unknown) => failures.push(String(error)));
    if (failures.length > 0)
      throw new CniError(CODES.again, 'not all garbage could be collected', failures.join('\n').slice(0, 4_000));
    return undefined;
  }

  /** Unless it changed while its turn was waited for. */
  async #removeStill(attachment: Attachment, signal: AbortSignal): Promise<void> {
    const now = this.#attachments.get(attachment.container, attachment.interface);
    if (now === attachment) await this.#remove(attachment, signal);
  }

  async #remove(attachment: Attachment, signal: AbortSignal): Promise<void> {
    await this.#slots.pass('unplug', undefined, async () => {
      const made = await this.#spares.recall(attachment);
      await unplug(this.#node, { ...attachment, made }, signal);
    });
    this.#attachments.delete(attachment);
    this.#spares.freed(attachment.made);
  }

  /** Devices and ports with our mark that no attachment has. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const isKept = (device: string) => this.#spares.has(device) || this.#isAttached(device);
    await sweep(this.#node, isKept, signal);
  }
}

const inVSwitch = ({ vswitch }: { readonly vswitch?: string | undefined }) => vswitch !== undefined;

const shownOf = ({ container, interface: name, pod }: Attachment) => ({ container, interface: name, pod });

/** It is the port of this very pod, and not of one of the same name before it. */
function isOf(port: KuryrPort | undefined, { uid }: PodRef): port is KuryrPort {
  if (port === undefined) return false;
  // The kubelet names static pods by a hash, which is not the uid of the pod that stands for them in the API.
  const isStatic = uid !== undefined && /^[0-9a-f]{32}$/.test(uid);
  const isSame = uid === undefined || isStatic || uid === port.spec.podUid;
  if (isSame && port.metadata.deletionTimestamp !== undefined)
    throw new CniError(CODES.unknownContainer, 'the pod is deleted');
  return isSame;
}

/** The default one has the name that the runtime gave it. Undefined until the controller has written them. */
function wishesIn(port: KuryrPort, request: Required<Request>): readonly Wish[] | undefined {
  // The default one first: a bridge that the node does not have yet gets its gateway.
  const entries = Object.entries(port.status?.interfaces ?? {}).toSorted(
    ([, one], [, other]) => Number(other.isDefault) - Number(one.isDefault),
  );
  if (entries.length === 0) return undefined;
  const pod = podKey(port.metadata.namespace, port.metadata.name);
  const refuse = (details: string): never => {
    throw new CniError(CODES.configuration, `the port of pod ${pod} is not usable`, details);
  };
  if (entries.length > LIMITS.interfacesPerPod) refuse(`it has more than ${LIMITS.interfacesPerPod} interfaces`);
  if (entries.filter(([, { isDefault }]) => isDefault).length !== 1)
    refuse('not exactly one interface is the default one');
  const named = entries.map(([name, wish]): [string, PodInterface] => [
    wish.isDefault ? request.interface : name,
    wish,
  ]);
  const names = new Set(named.map(([name]) => name));
  if (names.size !== named.length) refuse(`two interfaces would be called ${request.interface}`);
  const { netns } = request;
  return named.map(([name, wish]) => ({ name, netns, pod, podUid: port.spec.podUid, wish }));
}

function activeOf(port: KuryrPort | undefined, pod: PodRef): KuryrPort | undefined {
  if (port === undefined) throw new CniError(CODES.unknownContainer, 'the pod was deleted meanwhile');
  if (!isOf(port, pod)) throw new CniError(CODES.unknownContainer, 'another pod has its name by now');
  const interfaces = Object.values(port.status?.interfaces ?? {});
  return interfaces.length > 0 && interfaces.every(({ active }) => active) ? port : undefined;
}

/** In the words of the specification: what may pass by itself is to be tried again. */
function refusalOf(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isSuperfluidityError(error, 'SF-LINUX-BAD-ADDRESS') || isSuperfluidityError(error, 'SF-LINUX-BAD-NAME'))
    return new CniError(CODES.configuration, 'an address or a name is not usable', message, error);
  if (isSuperfluidityError(error, 'SF-CNI-STATE'))
    return new CniError(CODES.io, 'the daemon cannot write down what it does', message, error);
  return new CniError(CODES.again, 'it could not be done now', message, error);
}
