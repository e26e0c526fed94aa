import { LABELS, labelValue } from '../marks.ts';
import type { Pod } from '../objects.ts';
import { ObjectWatch, type WatchOptions } from '../watch.ts';

/** The pods of a site by their units: of one that its controller replaces, the old one is going while the new one comes. */
export class UnitPods {
  readonly #watch: ObjectWatch<Pod>;
  /** By the label of the unit, then by name. */
  readonly #byUnit = new Map<string, Map<string, Pod>>();

  constructor(options: Omit<WatchOptions<Pod>, 'keyOf' | 'keep'>) {
    this.#watch = new ObjectWatch<Pod>({
      ...options,
      onChange: (before, now) => {
        this.#index(before, now);
        options.onChange(before, now);
      },
    });
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  note(pod: Pod): void {
    this.#watch.note(pod);
  }

  of(id: string): Pod | undefined {
    return currentPod([...(this.#byUnit.get(labelValue(id))?.values() ?? [])]);
  }

  /** The pod of the unit when it is as wanted; it is looked at each time something changes. Rejects with the signal. */
  until(id: string, isAsWanted: (pod: Pod | undefined) => boolean, signal: AbortSignal): Promise<Pod | undefined> {
    return this.#watch.when(() => this.of(id), isAsWanted, signal);
  }

  #index(before: Pod | undefined, now: Pod | undefined): void {
    const pod = now ?? before;
    const unit = pod?.metadata.labels?.[LABELS.unit];
    if (pod === undefined || unit === undefined) return;
    const pods = this.#byUnit.get(unit) ?? new Map<string, Pod>();
    if (now === undefined) pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, now);
    if (pods.size === 0) this.#byUnit.delete(unit);
    else this.#byUnit.set(unit, pods);
  }
}

/** Of several pods of a unit the one that it is now: one that has ended may lie there still, and one may be going. */
export function currentPod(pods: readonly Pod[]): Pod | undefined {
  return pods.toSorted((a, b) => rank(a) - rank(b) || (createdAt(a) < createdAt(b) ? 1 : -1))[0];
}

function rank({ metadata, status }: Pod): number {
  if (metadata.deletionTimestamp !== undefined) return 1;
  return status?.phase === 'Failed' || status?.phase === 'Succeeded' ? 2 : 0;
}

const createdAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? '';
