import { Turns, Turnstile } from '@superfluidity/core';
import type { KuryrPort, PodInterface, Spare } from '@superfluidity/driver-kubernetes/kuryr';
import { deviceOf } from '../api/device.ts';
import type { Attachment, Made } from './attachments.ts';
import { LIMITS } from './limits.ts';
import type { NodeNetwork } from './node-network.ts';
import { isPreparable, type Prepared, prepare, recall } from './plug-ahead.ts';
import { type Ahead, leaveNetns, netnsId, unplug, vswitchOf } from './plug.ts';
import { podKey } from './registry.ts';

/** Where it comes from what lies ready in the pools of this node: the watch of the API server, or a test. */
export interface SpareSink {
  /** All that lies ready in the pool. Undefined: nobody tells any more. */
  tell(pool: string, spares: readonly Spare[] | undefined): void;
  /** Of all pools there are, it has been told once. */
  setKnown(): void;
}

export interface SparesOptions {
  readonly node: NodeNetwork;
  /** The pod has its interfaces, or they are being plugged. */
  readonly isTaken: (pod: string) => boolean;
  /** A pod has the device, or is about to have it. */
  readonly isAttached: (device: string) => boolean;
  readonly onEnd: (isUsed: boolean) => void;
  readonly graceMs: number;
}

interface Entry {
  /** Undefined: it could not be plugged. */
  prepared: Promise<Prepared | undefined>;
  /** A pod has it. */
  isUsed: boolean;
  /** Of a pool, and so it may be wanted again soon. */
  isSpare: boolean;
  /** It could not be given to a pod: nobody gets it again. */
  isSpoilt?: boolean;
  /** Runs when nobody wants it any more. */
  leaving?: NodeJS.Timeout;
}

type Wanted = ReadonlyMap<string, Ahead>;

/**
 * Ports of Open vSwitch that are plugged before a pod asks for them, so that their agent has wired them by then: what lies ready
 * in the pools of this node, and what the controller has given to a pod that carries no traffic yet. Safe, since either belongs to this
 * node alone. What a pod had of it stays plugged when the pod is gone, for the pool mostly tells of it again at once.
 *
 * The two watches tell in any order: what is wanted no longer by one may be wanted by the other in a moment.
 */
export class Spares implements SpareSink {
  readonly #options: SparesOptions;
  /** By device. */
  readonly #entries = new Map<string, Entry>();
  /** By pool, and by device. */
  readonly #told = new Map<string, Wanted>();
  /** What pods are to have: by pod, and by device. */
  readonly #ports = new Map<string, Wanted>();
  /** Uids of pods that had their interfaces, by pod: what is unplugged with a pod is not to be plugged again. */
  readonly #served = new Map<string, string>();
  readonly #slots = new Turnstile(LIMITS.preparedAtOnce);
  /** Of each device, one thing at a time. */
  readonly #turns = new Turns();
  #isKnown = false;

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(device: string): boolean {
    return this.#entries.has(device);
  }

  tell(pool: string, spares: readonly Spare[] | undefined): void {
    const before = this.#told.get(pool);
    const own = (spares ?? []).filter((spare) => this.#isAhead(spare));
    const now = new Map(own.map((spare): [string, Spare] => [deviceOf(spare.id), spare]));
    if (spares === undefined) this.#told.delete(pool);
    else this.#told.set(pool, now);
    for (const [device, spare] of now) this.#want(device, spare, 'spare', true);
    for (const device of before?.keys() ?? []) if (!now.has(device)) this.#unwant(device);
  }

  setKnown(): void {
    this.#isKnown = true;
    if (this.#told.size > 0) return;
    // What a daemon before this one left for a pool.
    for (const [device, entry] of this.#entries) {
      entry.isSpare = false;
      this.#unwant(device);
    }
  }

  /** After each change of what a pod is to have. */
  look(key: string, port: KuryrPort | undefined): void {
    const isGone = port === undefined || port.metadata.deletionTimestamp !== undefined;
    const before = this.#ports.get(key);
    const wishes = isGone ? [] : Object.values(port.status?.interfaces ?? {}).slice(0, LIMITS.interfacesPerPod);
    const own = wishes.filter((wish) => this.#isAhead(wish));
    const now = new Map(own.map((wish): [string, PodInterface] => [deviceOf(wish.id), wish]));
    if (now.size === 0) this.#ports.delete(key);
    else this.#ports.set(key, now);
    if (port === undefined) this.#served.delete(key);
    for (const device of before?.keys() ?? []) if (!now.has(device)) this.#unwant(device);
    if (isGone || this.#options.isTaken(key) || this.#served.get(key) === port.spec.podUid) return;
    // What carries traffic already and is not plugged here is made in the pod as fast.
    const pod = podKey(port.metadata.namespace, port.metadata.name);
    for (const [device, wish] of now) if (isPreparable(wish)) this.#want(device, wish, pod, false);
  }

  /**
   * Whether what a pod is to have lies over something that is plugged ahead. Where pools of this node are, it does also where it is plugged only
   * now, so that it stays when the pod is gone.
   */
  begin(pod: string, wish: PodInterface): boolean {
    const device = deviceOf(wish.id);
    if (this.#isAhead(wish) && this.#told.size > 0) this.#want(device, wish, pod, true, true);
    return this.#entries.has(device);
  }

  /** What there is of the interface, which belongs to who asked from now on. */
  async take(device: string): Promise<Prepared | undefined> {
    const entry = this.#entries.get(device);
    if (entry !== undefined) {
      entry.isUsed = true;
      clearTimeout(entry.leaving);
    }
    // Also until it is unplugged, where that is what happens to it.
    await this.#turns.take(device, async () => {});
    const prepared = await entry?.prepared;
    if (entry === undefined) return undefined;
    if (prepared === undefined) this.#forget(device, entry);
    else this.#options.onEnd(true);
    return prepared;
  }

  spoil(device: string): void {
    const entry = this.#entries.get(device);
    if (entry !== undefined) entry.isSpoilt = true;
  }

  /** The pod was served: what it had is not plugged for it again. Of one that is gone meanwhile nobody would forget it. */
  serve(key: string, podUid: string): void {
    if (this.#ports.has(key)) this.#served.set(key, podUid);
  }

  /** Takes from the pod what was plugged ahead. The rest is to be unplugged. */
  async recall({ made, netns, netnsId: id }: Attachment): Promise<readonly Made[]> {
    const rest: Made[] = [];
    for (const one of made) {
      const { device, over } = one;
      const isAhead = device !== undefined && over !== undefined;
      if (isAhead && this.#mayStay(device) && (await this.#recall(one, netns, id))) {
        const prepared = Promise.resolve({ device, peer: over });
        this.#entries.set(device, { prepared, isUsed: false, isSpare: true });
      } else {
        if (device !== undefined) this.#entries.delete(device);
        rest.push(one);
      }
    }
    return rest;
  }

  /** No pod has these any more. */
  freed(made: readonly Made[]): void {
    for (const { device } of made) {
      if (device === undefined) continue;
      const spare = this.#told.values().find((pool) => pool.has(device));
      if (spare === undefined) this.#unwant(device);
      else this.#want(device, spare.get(device)!, 'spare', true);
    }
  }

  /** What a daemon before this one had plugged. */
  adopt(all: readonly Prepared[]): void {
    for (const one of all) {
      const { device } = one;
      if (this.#entries.has(device) || this.#options.isAttached(device)) continue;
      this.#entries.set(device, { prepared: Promise.resolve(one), isUsed: false, isSpare: true });
      this.#unwant(device);
    }
  }

  /** What could not be plugged, or was too much, is tried again. */
  again(): void {
    for (const pool of this.#told.values())
      for (const [device, spare] of pool) this.#want(device, spare, 'spare', true);
  }

  /** What lies ready in pools stays for the next daemon. */
  async close(): Promise<void> {
    for (const { leaving } of this.#entries.values()) clearTimeout(leaving);
    const own = [...this.#entries].filter(([, { isSpare, isUsed }]) => !isSpare && !isUsed);
    await Promise.all(own.map(([device, entry]) => this.#drop(device, entry)));
    await Promise.all(this.#entries.values().map(({ prepared }) => prepared));
  }

  /** The node plugs such a port by Open vSwitch. What it makes in the pod alone is made there as fast. */
  #isAhead({ plugging }: Pick<Ahead, 'plugging'>): boolean {
    return vswitchOf(this.#options.node, plugging) !== undefined;
  }

  #isWanted(device: string): boolean {
    const has = (wanted: Wanted) => wanted.has(device);
    return this.#told.values().some(has) || this.#ports.values().some(has);
  }

  /** Where no pool has its ports plugged ahead, nobody will want it. */
  #mayStay(device: string): boolean {
    return this.#entries.get(device)?.isSpoilt !== true && (!this.#isKnown || this.#told.size > 0);
  }

  async #recall(made: Made, netns: string, id: number): Promise<boolean> {
    try {
      // Another namespace may be at that path by now.
      const at = netnsId(netns) === id ? netns : undefined;
      return await this.#turns.take(made.device!, () => recall(this.#options.node, made, at));
    } catch (error) {
      this.#options.node.log.warn({ device: made.device, error: String(error) }, 'a spare is unplugged');
      return false;
    } finally {
      leaveNetns(netns);
    }
  }

  /** `isAsked`: a pod waits for it, and not behind those for which none does. */
  #want(device: string, ahead: Ahead, owner: string, isSpare: boolean, isAsked = false): void {
    const known = this.#entries.get(device);
    if (known !== undefined) {
      known.isSpare ||= isSpare;
      clearTimeout(known.leaving);
      return;
    }
    const { node, isAttached } = this.#options;
    if (!node.hasMacvlans || isAttached(device) || this.#entries.size >= LIMITS.spares) return;
    const work = () => prepare(node, ahead, owner, AbortSignal.timeout(LIMITS.otherMs));
    const prepared = this.#turns
      .take(device, () => (isAsked ? work() : this.#slots.pass('plug ahead', undefined, work)))
      .catch((error: unknown) => {
        // ADD tries it again, and says what is wrong.
        node.log.warn({ owner, port: ahead.id, error: String(error) }, 'an interface could not be plugged ahead');
        return undefined;
      });
    const entry: Entry = { prepared, isUsed: false, isSpare };
    this.#entries.set(device, entry);
    void prepared.then((made) => {
      if (made === undefined && !entry.isUsed) this.#forget(device, entry);
    });
  }

  #unwant(device: string): void {
    const entry = this.#entries.get(device);
    if (entry === undefined || entry.isUsed || this.#isWanted(device)) return;
    clearTimeout(entry.leaving);
    const leave = () => {
      if (!entry.isUsed && !this.#isWanted(device)) void this.#drop(device, entry);
    };
    if (!entry.isSpare) return leave();
    entry.leaving = setTimeout(leave, this.#options.graceMs);
    entry.leaving.unref();
  }

  #forget(device: string, entry: Entry): void {
    if (this.#entries.get(device) === entry) this.#entries.delete(device);
  }

  async #drop(device: string, entry: Entry): Promise<void> {
    const { node, onEnd } = this.#options;
    this.#forget(device, entry);
    await this.#turns.take(device, async () => {
      await entry.prepared;
      onEnd(false);
      const made = [{ name: '', device, vswitch: '' }];
      await unplug(node, { made, netns: '', netnsId: 0 }, AbortSignal.timeout(LIMITS.otherMs)).catch((error: unknown) =>
        node.log.warn({ device, error: String(error) }, 'what was plugged ahead is removed later'),
      );
    });
  }
}
