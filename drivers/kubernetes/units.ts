import { canonicalJson, isSuperfluidityError, reportError, SuperfluidityError, Turnstile } from '@superfluidity/core';
import type { Tell, UnitOutcome, UnitSpec, UnitStatus } from '@superfluidity/site';
import { belongingsOf, removeBelongings } from './belongings.ts';
import { statusIn } from './cluster.ts';
import { LIMITS } from './config.ts';
import { awaitReady, failureOf } from './launch.ts';
import { learnMac } from './mac.ts';
import { checkSpec, digestOf, podOf } from './manifest.ts';
import { ANNOTATIONS } from './marks.ts';
import { checkParent } from './nesting.ts';
import type { Networks } from './networks.ts';
import { isRefusal, News, tellEvent } from './news.ts';
import type { Nodes } from './nodes.ts';
import type { KubeEvent, KubeObject, Pod } from './objects.ts';
import { Images } from './openshift/images.ts';
import { readLog } from './output.ts';
import { isDone, isGoing, recordOf, stateOf, statusOf, type UnitRecord } from './record.ts';
import { checkRuntimeClass } from './runtime-classes.ts';
import { Finder, type Found } from './workloads/find.ts';
import { workloadKinds, workloadOf } from './workloads/kinds.ts';
import type { UnitPods } from './workloads/pods.ts';
import { removeObject } from './workloads/removal.ts';
import { workloadObject } from './workloads/template.ts';
import type { World } from './world.ts';

export interface UnitsParts {
  readonly world: World;
  readonly nodes: Nodes;
  readonly networks: Networks;
  readonly pods: UnitPods;
  /** Whether what a call made is still its own to remove: a successor goes on with it. */
  readonly isInCharge: (fence: number) => boolean;
}

interface InFlight {
  readonly spec: string;
  readonly cancel: AbortController;
  readonly done: Promise<UnitStatus>;
}

/** Who asks for a unit, and hears what becomes of it. */
export interface Asking {
  readonly fence: number;
  readonly signal: AbortSignal;
  readonly tell?: Tell | undefined;
}

/** A unit that is being made. */
interface Making {
  readonly doing: string;
  readonly spec: UnitSpec;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/** The units of a site. There are no records of them but in the cluster. */
export class Units {
  readonly #parts: UnitsParts;
  readonly #finder: Finder;
  readonly #news: News;
  readonly #images: Images;
  readonly #inFlight = new Map<string, InFlight>();
  /** What is being taken back. Nothing in it rejects. */
  readonly #undoing = new Map<string, Promise<void>>();
  readonly #turnstile = new Turnstile(LIMITS.unitsAtOnce);

  constructor(parts: UnitsParts) {
    this.#parts = parts;
    this.#finder = new Finder(parts.world);
    this.#news = new News(parts.world);
    this.#images = new Images(parts.world);
  }

  find(signal: AbortSignal): Promise<readonly Found[]> {
    return this.#finder.all(signal);
  }

  async list(signal: AbortSignal): Promise<readonly UnitStatus[]> {
    return (await this.find(signal)).map((found) => this.#status(found));
  }

  async get(id: string, signal: AbortSignal): Promise<UnitStatus | undefined> {
    const found = await this.#finder.one(id, signal);
    return found === undefined ? undefined : this.#status(found);
  }

  #status({ pod, record }: Found): UnitStatus {
    const { siteId, marks } = this.#parts.world;
    return statusOf(siteId, pod, record, marks.unitName(record.id));
  }

  hasObject(record: UnitRecord, signal: AbortSignal): Promise<boolean> {
    return this.#finder.hasObject(record, signal);
  }

  /** Whether it is being made at this moment. */
  isMaking(id: string): boolean {
    return this.#inFlight.has(id);
  }

  async known(id: string, signal: AbortSignal): Promise<Found> {
    const found = await this.#finder.one(id, signal);
    if (found !== undefined) return found;
    const reason = `there is no unit ${id} at ${this.#parts.world.name}`;
    throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason });
  }

  async ensure(spec: UnitSpec, { fence, signal, tell = () => {} }: Asking): Promise<UnitStatus> {
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
    const making = { doing, spec, tell, signal: AbortSignal.any([signal, cancel.signal]) };
    const done = this.#ensure(making, fence).finally(() => this.#inFlight.delete(spec.id));
    this.#inFlight.set(spec.id, { spec: text, cancel, done });
    return done;
  }

  async ensureMany(specs: readonly UnitSpec[], asking: Asking): Promise<readonly UnitOutcome[]> {
    if (specs.length > LIMITS.unitsPerCall) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing: `start ${specs.length} units on ${this.#parts.world.name}`,
        reason: `a call takes ${LIMITS.unitsPerCall} units at most`,
      });
    }
    return Promise.all(
      specs.map((spec) =>
        this.ensure(spec, asking).then(
          (status): UnitOutcome => ({ ok: true, status }),
          (error: unknown): UnitOutcome => ({ ok: false, error }),
        ),
      ),
    );
  }

  async #ensure(making: Making, fence: number): Promise<UnitStatus> {
    const { world, nodes } = this.#parts;
    const { doing, spec, signal } = making;
    checkSpec(world, spec, doing);
    await this.#undoing.get(spec.id);
    return this.#turnstile.pass(doing, signal, async () => {
      let began = false;
      try {
        await nodes.check(spec, doing);
        const known = await this.#usable(making);
        began = true;
        return await this.#finish(making, known);
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

  /** The unit, where there is one that can be used. One that has ended is removed. */
  async #usable({ doing, spec, signal }: Making): Promise<Found | undefined> {
    const { pods } = this.#parts;
    const found = await this.#finder.one(spec.id, signal);
    if (found === undefined) return undefined;
    const { pod, record } = found;
    const { replaces, ends } = workloadKinds[record.workload];
    // One that goes while its controller stays is one that comes again, with what it has kept.
    const comesAgain =
      pod === undefined || (replaces && isGoing(pod) && (await this.#finder.hasObject(record, signal)));
    if (pod === undefined || comesAgain || !isGoing(pod)) {
      if (record.digest !== digestOf(spec)) throw conflict(doing, spec.id);
      if (pod === undefined || comesAgain) return found;
      pods.note(pod);
      const { state } = stateOf(pod, record.workload);
      if (state === 'running' || state === 'starting' || (ends && isDone(pod))) return found;
    }
    await removeObject(this.#parts, spec.id, [record.workload], 1, signal);
    return undefined;
  }

  async #create({ doing, spec, tell, signal }: Making): Promise<void> {
    const { world, networks, pods } = this.#parts;
    const { cluster, config, discovery } = world;
    for (const { network } of spec.ports) await networks.check(network, doing, signal);
    await checkRuntimeClass(world, spec, doing, signal);
    await checkParent(world, spec, doing, signal);
    const workload = workloadOf(config.workloads, spec.path);
    const { kind, resource, group } = workloadKinds[workload];
    if (workload === 'deployment-config') await discovery.refuseWithout(group!, `a ${kind}`, doing, signal);
    const belongings = belongingsOf(world, networks, spec, doing);
    const image = await this.#images.of(spec.execution.image, { doing, signal, tell, what: spec.path });
    const wanted = workloadObject(world, workload, spec, podOf(world, spec, { ...belongings.parts, image }));
    signal.throwIfAborted();
    // Not given up half way: what is made after it was taken back would be left.
    const lasting = AbortSignal.timeout(LIMITS.askMs);
    await belongings.apply(lasting);
    try {
      const object = await cluster.apply<KubeObject>(
        cluster.path(resource, wanted.metadata.name, group),
        wanted,
        lasting,
      );
      if (workload === 'pod') pods.note(object as Pod);
    } catch (error) {
      // Another caller was faster, and wanted something else: fields of a pod do not change.
      const now = await this.#finder.one(spec.id, world.ask()).catch(() => undefined);
      if (now !== undefined && now.record.digest !== digestOf(spec)) throw conflict(doing, spec.id);
      throw error;
    }
  }

  /** From what is there, or is made, to a unit that is ready. */
  async #finish(making: Making, known: Found | undefined): Promise<UnitStatus> {
    const { world, nodes, networks, pods } = this.#parts;
    const { spec, doing, tell, signal } = making;
    const workload = known?.record.workload ?? workloadOf(world.config.workloads, spec.path);
    const refused = new AbortController();
    const hear = (event: KubeEvent) => {
      tellEvent(tell, spec, event, world.clock.now());
      if (isRefusal(event)) refused.abort(event.message);
    };
    const leave = await this.#news.listen(world.marks.unitName(spec.id), hear, signal);
    try {
      if (known === undefined) await this.#create(making);
      const ready = await awaitReady({ world, pods, spec, workload, doing, signal, refused: refused.signal });
      for (const { network } of spec.ports) await networks.checkAddress(network, ready.status?.podIP, doing, signal);
      const last = await this.markReady(ready, signal);
      if (last === undefined) throw await failureOf(world, ready, undefined, doing);
      nodes.changed();
      const record = recordOf(last);
      if (record !== undefined) return this.#status({ pod: last, record });
      const reason = 'somebody changed the annotations of its pod';
      throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason });
    } finally {
      leave();
    }
  }

  /** Writes down that it was ready, with the address that it has then. Undefined when it is gone. */
  async markReady(pod: Pod, signal: AbortSignal): Promise<Pod | undefined> {
    const { world, pods } = this.#parts;
    if (pod.metadata.annotations?.[ANNOTATIONS.mac] !== undefined) return pod;
    const mac = await learnMac(world, pod, signal);
    const patch = { metadata: { annotations: { [ANNOTATIONS.mac]: mac } } };
    const path = world.cluster.path('pods', pod.metadata.name);
    const marked = await world.cluster.merge<Pod>(path, patch, signal);
    if (marked !== undefined) pods.note(marked);
    return marked;
  }

  /** Kubernetes asks programs to end by deleting their pod: it goes when they have ended, or when their time is over. */
  async drain(id: string, signal: AbortSignal): Promise<void> {
    const { cluster, marks } = this.#parts.world;
    const found = await this.#finder.one(id, signal);
    if (found === undefined) return;
    const { pod, record } = found;
    const { resource, group } = workloadKinds[record.workload];
    if (group !== undefined) {
      // The pods of an object that is deleted are deleted, with the time that they have.
      await cluster.delete(cluster.path(resource, marks.unitName(id), group), undefined, signal);
      return;
    }
    if (pod === undefined || isGoing(pod)) return;
    const path = cluster.path('pods', pod.metadata.name);
    const going = await cluster.delete<Pod>(path, record.graceSeconds, signal);
    if (going !== undefined && going.metadata.name !== undefined) this.#parts.pods.note(going);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const { world, nodes, networks } = this.#parts;
    const running = ids.flatMap((id) => this.#inFlight.get(id) ?? []);
    for (const { cancel } of running) cancel.abort(cancelled('start a unit', 'it is removed'));
    await Promise.all(running.map(({ done }) => done.catch(() => {})));
    await Promise.all(ids.flatMap((id) => this.#undoing.get(id) ?? []));
    if (ids.length === 0) return;
    const workloadsOf = await this.#finder.workloadsOf(ids, signal);
    await Promise.all(
      ids.map((id) =>
        this.#turnstile.pass(`remove unit ${id}`, signal, async () => {
          await removeObject(this.#parts, id, workloadsOf(id), 1, signal);
          await removeBelongings(world, networks, id, signal);
        }),
      ),
    );
    nodes.changed();
  }

  /** Of what was begun and is not wanted any more nothing is left, whoever gave up. */
  #undo(id: string): Promise<void> {
    const done = this.#takeBack(id).finally(() => this.#undoing.delete(id));
    this.#undoing.set(id, done);
    return done;
  }

  async #takeBack(id: string): Promise<void> {
    const { world, nodes, networks } = this.#parts;
    const signal = AbortSignal.timeout(LIMITS.deleteMs);
    try {
      await removeObject(this.#parts, id, (await this.#finder.workloadsOf([id], signal))(id), 1, signal);
      await removeBelongings(world, networks, id, signal);
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
    return pod === undefined ? { lines: [], next: offset } : readLog(this.#parts.world, pod, offset, signal);
  }

  /** Lets go: what is being made and not there yet is taken back. */
  async close(): Promise<void> {
    for (const { cancel } of this.#inFlight.values()) cancel.abort(cancelled('start a unit', 'the site is closed'));
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done.catch(() => {})));
    await Promise.all(this.#undoing.values());
    await this.#news.stop();
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
