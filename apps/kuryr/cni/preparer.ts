import type { KuryrPort } from '../api/port.ts';
import { LIMITS } from './limits.ts';
import type { NodeNetwork } from './node-network.ts';
import { deviceOf, isPreparable, type Prepared, prepare, unplug } from './plug.ts';
import { podKey } from './registry.ts';
import { Slots } from './turns.ts';

interface Entry {
  readonly podUid: string;
  readonly devices: readonly string[];
  readonly prepared: ReadonlyMap<string, Promise<Prepared | undefined>>;
}

export interface PreparerOptions {
  readonly node: NodeNetwork;
  /** The pod has its interfaces, or they are being plugged. */
  readonly isTaken: (pod: string) => boolean;
  readonly onEnd: (isUsed: boolean) => void;
}

/**
 * Plugs ports that carry no traffic before their agent has wired them as soon as they are known, while the runtime still prepares
 * the sandbox. Safe, since a port belongs to one pod of this node alone: nobody else may have it. What carries traffic already is left
 * alone: a new pair of devices inside the pod is made in less time than a prepared one is moved there.
 */
export class Preparer {
  readonly #options: PreparerOptions;
  readonly #entries = new Map<string, Entry>();
  /** Uids of pods that had their interfaces, by pod: what is unplugged with a pod is not to be plugged again. */
  readonly #served = new Map<string, string>();
  readonly #slots = new Slots(LIMITS.preparedAtOnce);

  constructor(options: PreparerOptions) {
    this.#options = options;
  }

  /** After each change of a port. */
  look(key: string, port: KuryrPort | undefined): void {
    const isGone = port === undefined || port.metadata.deletionTimestamp !== undefined;
    const known = this.#entries.get(key);
    if (known !== undefined && (isGone || known.podUid !== port.spec.podUid)) void this.#drop(key, known);
    if (port === undefined) this.#served.delete(key);
    if (isGone || this.#entries.has(key) || this.#options.isTaken(key)) return;
    if (this.#served.get(key) === port.spec.podUid) return;
    this.#begin(key, port);
  }

  /** What there is of the interface, which belongs to who asked from now on. */
  async take(key: string, portId: string): Promise<Prepared | undefined> {
    const prepared = await this.#entries.get(key)?.prepared.get(portId);
    if (prepared !== undefined) this.#options.onEnd(true);
    return prepared;
  }

  /** The pod was served: what was prepared for it is somebody else's now, also to remove. */
  async serve(key: string, podUid: string): Promise<void> {
    this.#served.set(key, podUid);
    const known = this.#entries.get(key);
    if (known === undefined) return;
    await Promise.all(known.prepared.values());
    this.#entries.delete(key);
  }

  has(device: string): boolean {
    return this.#entries.values().some(({ devices }) => devices.includes(device));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries].map(([key, entry]) => this.#drop(key, entry)));
  }

  #begin(key: string, { spec, metadata, status }: KuryrPort): void {
    const { node } = this.#options;
    const wanted = Object.entries(status?.interfaces ?? {})
      .slice(0, LIMITS.interfacesPerPod)
      .filter(([, wish]) => isPreparable(wish));
    if (wanted.length === 0) return;
    const prepared = wanted.map(([name, wish]) => {
      const pod = podKey(metadata.namespace, metadata.name);
      const work = () => prepare(node, { name, pod, podUid: spec.podUid, wish }, AbortSignal.timeout(LIMITS.otherMs));
      const result = this.#slots.run(work).catch((error: unknown) => {
        // ADD tries it again, and says what is wrong.
        node.log.warn({ pod, port: wish.id, error: String(error) }, 'an interface could not be plugged ahead');
        return undefined;
      });
      return [wish.id, result] as const;
    });
    const devices = wanted.map(([, { id }]) => deviceOf(id));
    this.#entries.set(key, { podUid: spec.podUid, devices, prepared: new Map(prepared) });
  }

  async #drop(key: string, entry: Entry): Promise<void> {
    const { node, onEnd } = this.#options;
    await Promise.all(entry.prepared.values());
    // Taken meanwhile.
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    const made = entry.devices.map((device) => ({ name: '', device, vswitch: '' }));
    for (const _ of made) onEnd(false);
    await unplug(node, { made, netns: '', netnsId: 0 }, AbortSignal.timeout(LIMITS.otherMs)).catch((error: unknown) =>
      node.log.warn({ pod: key, error: String(error) }, 'what was plugged ahead is removed later'),
    );
  }
}
