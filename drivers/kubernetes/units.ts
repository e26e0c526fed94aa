import { canonicalJson, isSuperfluidityError, reportError, SuperfluidityError } from '@superfluidity/core';
import type { UnitOutcome, UnitSpec, UnitStatus } from '@superfluidity/site';
import { statusIn } from './cluster.ts';
import { LIMITS } from './config.ts';
import { filesOf } from './files.ts';
import { awaitReady, failureOf } from './launch.ts';
import { learnMac } from './mac.ts';
import { checkSpec, digestOf, podOf } from './manifest.ts';
import { ANNOTATIONS } from './marks.ts';
import type { Networks } from './networks.ts';
import type { Nodes } from './nodes.ts';
import type { Pod } from './objects.ts';
import { readLog } from './output.ts';
import { isGoing, recordOf, stateOf, statusOf, type UnitRecord } from './record.ts';
import { Turnstile } from './turnstile.ts';
import type { ObjectWatch } from './watch.ts';
import type { World } from './world.ts';

export interface UnitsParts {
  readonly world: World;
  readonly nodes: Nodes;
  readonly networks: Networks;
  readonly pods: ObjectWatch<Pod>;
  /** Whether what a call made is still its own to remove: a successor goes on with it. */
  readonly isInCharge: (fence: number) => boolean;
}

interface InFlight {
  readonly spec: string;
  readonly cancel: AbortController;
  readonly done: Promise<UnitStatus>;
}

export interface Found {
  readonly pod: Pod;
  readonly record: UnitRecord;
}

/** The units of a site. There are no records of them but in the cluster. */
export class Units {
  readonly #parts: UnitsParts;
  readonly #inFlight = new Map<string, InFlight>();
  /** What is being taken back. Nothing in it rejects. */
  readonly #undoing = new Map<string, Promise<void>>();
  readonly #turnstile = new Turnstile(LIMITS.unitsAtOnce);

  constructor(parts: UnitsParts) {
    this.#parts = parts;
  }

  async find(signal: AbortSignal): Promise<readonly Found[]> {
    const { world } = this.#parts;
    const { cluster, marks } = world;
    const { items } = await cluster.list<Pod>(cluster.path('pods'), { labelSelector: marks.selector }, signal);
    return items.flatMap((pod) => {
      const record = recordOf(pod);
      return record === undefined ? [] : [{ pod, record }];
    });
  }

  async list(signal: AbortSignal): Promise<readonly UnitStatus[]> {
    const { siteId } = this.#parts.world;
    return (await this.find(signal)).map(({ pod, record }) => statusOf(siteId, pod, record));
  }

  async get(id: string, signal: AbortSignal): Promise<UnitStatus | undefined> {
    const found = await this.#find(id, signal);
    return found === undefined ? undefined : statusOf(this.#parts.world.siteId, found.pod, found.record);
  }

  async known(id: string, signal: AbortSignal): Promise<Found> {
    const found = await this.#find(id, signal);
    if (found !== undefined) return found;
    const reason = `there is no unit ${id} at ${this.#parts.world.name}`;
    throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason });
  }

  async ensure(spec: UnitSpec, fence: number, signal: AbortSignal): Promise<UnitStatus> {
    const { world } = this.#parts;
    const doing = `create unit ${spec.path} on ${world.name}/${spec.host}`;
    const text = canonicalJson(spec);
    const running = this.#inFlight.get(spec.id);
    if (running !== undefined) {
      if (running.spec !== text) throw conflict(doing, spec.id);
      return running.done;
    }
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const cancel = new AbortController();
    const done = this.#ensure(doing, spec, fence, AbortSignal.any([signal, cancel.signal])).finally(() =>
      this.#inFlight.delete(spec.id),
    );
    this.#inFlight.set(spec.id, { spec: text, cancel, done });
    return done;
  }

  async ensureMany(specs: readonly UnitSpec[], fence: number, signal: AbortSignal): Promise<readonly UnitOutcome[]> {
    if (specs.length > LIMITS.unitsPerCall) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `start ${specs.length} units on ${this.#parts.world.name}`,
        reason: `a call takes ${LIMITS.unitsPerCall} units at most`,
      });
    }
    return Promise.all(
      specs.map((spec) =>
        this.ensure(spec, fence, signal).then(
          (status): UnitOutcome => ({ ok: true, status }),
          (error: unknown): UnitOutcome => ({ ok: false, error }),
        ),
      ),
    );
  }

  async #ensure(doing: string, spec: UnitSpec, fence: number, signal: AbortSignal): Promise<UnitStatus> {
    const { world, nodes } = this.#parts;
    checkSpec(world, spec, doing);
    await this.#undoing.get(spec.id);
    return this.#turnstile.pass(signal, async () => {
      let began = false;
      try {
        await nodes.check(spec, doing);
        const known = await this.#usable(doing, spec, signal);
        began = true;
        const pod = known ?? (await this.#create(doing, spec, signal));
        return await this.#finish(doing, spec, pod, signal);
      } catch (error) {
        if (began && !isSuperfluidityError(error, 'SF-SITE-CONFLICT') && this.#parts.isInCharge(fence)) {
          const undoing = this.#undo(spec.id);
          // Who gave up does not wait for that; who asks for the same unit again does.
          if (!signal.aborted) await undoing;
        }
        throw coded(error, doing);
      }
    });
  }

  /** The pod of the unit, where there is one that can be used. One that has ended is removed. */
  async #usable(doing: string, spec: UnitSpec, signal: AbortSignal): Promise<Pod | undefined> {
    const { world, pods } = this.#parts;
    const found = await this.#find(spec.id, signal);
    if (found === undefined) return undefined;
    const { pod, record } = found;
    if (!isGoing(pod)) {
      if (record.digest !== digestOf(spec)) throw conflict(doing, spec.id);
      const { state } = stateOf(pod);
      pods.note(pod);
      if (state === 'running' || state === 'starting') return pod;
    }
    await this.#delete(world.marks.unitName(spec.id), 1, signal);
    return undefined;
  }

  async #create(doing: string, spec: UnitSpec, signal: AbortSignal): Promise<Pod> {
    const { world, networks, pods } = this.#parts;
    const { cluster } = world;
    for (const { network } of spec.ports) await networks.check(network, doing, signal);
    const files = filesOf(world, spec, doing);
    const wanted = podOf(world, spec, files, doing);
    signal.throwIfAborted();
    // Not given up half way: what is made after it was taken back would be left.
    const lasting = AbortSignal.timeout(LIMITS.askMs);
    if (files !== undefined)
      await cluster.apply(cluster.path('configmaps', files.object.metadata.name), files.object, lasting);
    for (const port of spec.ports) await networks.ensureRules(spec, port, lasting);
    try {
      const pod = await cluster.apply<Pod>(cluster.path('pods', wanted.metadata.name), wanted, lasting);
      pods.note(pod);
      return pod;
    } catch (error) {
      // Another caller was faster, and wanted something else: fields of a pod do not change.
      const now = await this.#find(spec.id, world.ask()).catch(() => undefined);
      if (now !== undefined && now.record.digest !== digestOf(spec)) throw conflict(doing, spec.id);
      throw error;
    }
  }

  /** From a pod that is there to a unit that is ready. */
  async #finish(doing: string, spec: UnitSpec, pod: Pod, signal: AbortSignal): Promise<UnitStatus> {
    const { world, nodes, pods } = this.#parts;
    const { cluster } = world;
    const ready = await awaitReady(world, pods, spec, pod.metadata.name, doing, signal);
    let last = ready;
    if (ready.metadata.annotations?.[ANNOTATIONS.mac] === undefined) {
      const mac = await learnMac(world, ready, signal);
      const patch = { metadata: { annotations: { [ANNOTATIONS.mac]: mac } } };
      const marked = await cluster.merge<Pod>(cluster.path('pods', pod.metadata.name), patch, signal);
      if (marked === undefined) throw await failureOf(world, ready, undefined, doing);
      last = marked;
      pods.note(marked);
    }
    nodes.changed();
    const record = recordOf(last);
    if (record !== undefined) return statusOf(world.siteId, last, record);
    const reason = 'somebody changed the annotations of its pod';
    throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason });
  }

  /** Kubernetes asks programs to end by deleting their pod: it goes when they have ended, or when their time is over. */
  async drain(id: string, signal: AbortSignal): Promise<void> {
    const { world } = this.#parts;
    const found = await this.#find(id, signal);
    if (found === undefined || isGoing(found.pod)) return;
    const path = world.cluster.path('pods', found.pod.metadata.name);
    const going = await world.cluster.delete<Pod>(path, found.record.graceSeconds, signal);
    if (going !== undefined && going.metadata.name !== undefined) this.#parts.pods.note(going);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const { world, nodes } = this.#parts;
    const { cluster, marks } = world;
    const running = ids.flatMap((id) => this.#inFlight.get(id) ?? []);
    for (const { cancel } of running) cancel.abort(cancelled('start a unit', 'it is removed'));
    await Promise.all(running.map(({ done }) => done.catch(() => {})));
    await Promise.all(ids.flatMap((id) => this.#undoing.get(id) ?? []));
    await Promise.all(
      ids.map((id) =>
        this.#turnstile.pass(signal, async () => {
          const name = marks.unitName(id);
          await this.#delete(name, 1, signal);
          await cluster.delete(cluster.path('configmaps', name), undefined, signal);
          await this.#parts.networks.removeRules(id, signal);
        }),
      ),
    );
    nodes.changed();
  }

  /** Resolves when the pod is gone: with its kubelet's word, or without where its node is lost. */
  async #delete(name: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const { world, pods, nodes } = this.#parts;
    const path = world.cluster.path('pods', name);
    const going = await world.cluster.delete<Pod>(path, graceSeconds, signal);
    if (going === undefined) return;
    const node = going.spec?.nodeName;
    if (node !== undefined && (await nodes.isLost(node, signal).catch(() => false))) {
      // Nobody is there to say that it has ended. It may go on, on a machine that we do not reach.
      world.log.warn({ site: world.name, pod: name, node }, 'removing a pod of a node that does not answer');
      await world.cluster.delete(path, 0, signal);
    }
    const { uid } = going.metadata;
    // It may have been gone before this watch heard of it.
    pods.start();
    const isGone = (pod: Pod | undefined) => pod === undefined || pod.metadata.uid !== uid;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.deleteMs)]);
    const left = await world.cluster.get<Pod>(path, signal);
    if (isGone(left)) return;
    pods.note(left!);
    await pods.until(name, isGone, limited);
  }

  /** Of what was begun and is not wanted any more nothing is left, whoever gave up. */
  #undo(id: string): Promise<void> {
    const done = this.#takeBack(id).finally(() => this.#undoing.delete(id));
    this.#undoing.set(id, done);
    return done;
  }

  async #takeBack(id: string): Promise<void> {
    const { world, nodes, networks } = this.#parts;
    const { cluster, marks } = world;
    const signal = AbortSignal.timeout(LIMITS.deleteMs);
    try {
      await this.#delete(marks.unitName(id), 1, signal);
      await cluster.delete(cluster.path('configmaps', marks.unitName(id)), undefined, signal);
      await networks.removeRules(id, signal);
      nodes.changed();
    } catch (error) {
      // It is found by its labels: by the next attempt, by a removal, by purge.
      world.log.error({ unit: id, error: reportError(error) }, 'something of a unit that did not start is left');
    }
  }

  async readOutput(
    id: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    const { pod } = await this.known(id, signal);
    return readLog(this.#parts.world, pod, offset, signal);
  }

  /** Lets go: what is being made and not there yet is taken back. */
  async close(): Promise<void> {
    for (const { cancel } of this.#inFlight.values()) cancel.abort(cancelled('start a unit', 'the site is closed'));
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done.catch(() => {})));
    await Promise.all(this.#undoing.values());
  }

  async #find(id: string, signal: AbortSignal): Promise<Found | undefined> {
    const { cluster, marks } = this.#parts.world;
    const pod = await cluster.get<Pod>(cluster.path('pods', marks.unitName(id)), signal);
    const record = pod === undefined ? undefined : recordOf(pod);
    return pod === undefined || record === undefined ? undefined : { pod, record };
  }
}

function cancelled(doing: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason });
}

/** `abort()` and `AbortSignal.timeout` tell nobody what was given up. A refusal by the server names what was refused. */
function coded(error: unknown, doing: string): unknown {
  if (error instanceof DOMException) {
    if (error.name !== 'TimeoutError') return cancelled(doing, 'cancelled');
    return new SuperfluidityError('SF-CORE-TIMEOUT', { doing, reason: 'it was not done in the time that there was' });
  }
  if (statusIn(error) === undefined || !(error instanceof SuperfluidityError)) return error;
  return new SuperfluidityError(error.code, { ...error.details, doing, cause: error });
}

function conflict(doing: string, id: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `unit ${id} exists with another specification` });
}
