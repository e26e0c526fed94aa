import { LABELS, labelValue } from '../marks.ts';
import type { KubeObject, Pod } from '../objects.ts';
import { recordOf, type UnitRecord } from '../record.ts';
import type { World } from '../world.ts';
import { controlledIn, workloadKinds, type WorkloadName } from './kinds.ts';
import { currentPod } from './pods.ts';

/** A unit as the cluster has it. */
export interface Found {
  /** Absent while its controller makes another one. */
  readonly pod: Pod | undefined;
  readonly record: UnitRecord;
}

/** Looks for the units of a site: pods, and objects whose pods are not there at the moment. */
export class Finder {
  readonly #world: World;
  /** Kinds that units may be: those of the configuration, and those that were met. */
  readonly #controlled: Set<WorkloadName>;

  constructor(world: World) {
    this.#world = world;
    this.#controlled = new Set(controlledIn(world.config.workloads));
  }

  async all(signal: AbortSignal): Promise<readonly Found[]> {
    return this.#search(this.#world.marks.selector, signal);
  }

  async one(id: string, signal: AbortSignal): Promise<Found | undefined> {
    const { cluster, marks } = this.#world;
    const pod = await cluster.get<Pod>(cluster.path('pods', marks.unitName(id)), signal);
    const record = pod === undefined ? undefined : recordOf(pod);
    if (record !== undefined) return { pod, record };
    if (this.#controlled.size === 0) return undefined;
    const [found] = await this.#search(`${marks.selector},${LABELS.unit}=${labelValue(id)}`, signal);
    return found;
  }

  /** What each of these may be in the cluster. */
  async workloadsOf(ids: readonly string[], signal: AbortSignal): Promise<(id: string) => readonly WorkloadName[]> {
    const found = ids.length === 1 ? [await this.one(ids[0]!, signal)] : await this.all(signal);
    const known = new Map(found.flatMap((one) => (one === undefined ? [] : [[one.record.id, one.record.workload]])));
    return (id) => {
      const workload = known.get(id);
      // What was begun and has no pod yet is what it would be now.
      return workload === undefined ? [...this.#controlled] : [workload];
    };
  }

  /** Whether what makes its pods is there, and stays. */
  async hasObject({ id, workload }: UnitRecord, signal: AbortSignal): Promise<boolean> {
    const { cluster, marks } = this.#world;
    const { resource, group } = workloadKinds[workload];
    const object = await cluster.get<KubeObject>(cluster.path(resource, marks.unitName(id), group), signal);
    return object !== undefined && object.metadata.deletionTimestamp === undefined;
  }

  async #search(labelSelector: string, signal: AbortSignal): Promise<readonly Found[]> {
    const { cluster } = this.#world;
    const { items } = await cluster.list<Pod>(cluster.path('pods'), { labelSelector }, signal);
    const withPods = [...Map.groupBy(items, ({ metadata }) => metadata.labels?.[LABELS.unit] ?? '').values()];
    const found = withPods.flatMap((pods): readonly Found[] => {
      const pod = currentPod(pods);
      const record = pod === undefined ? undefined : recordOf(pod);
      return record === undefined ? [] : [{ pod, record }];
    });
    for (const { record } of found) if (record.workload !== 'pod') this.#controlled.add(record.workload);
    const ids = new Set(found.map(({ record }) => record.id));
    const objects = await Promise.all([...this.#controlled].map((one) => this.#objects(one, labelSelector, signal)));
    const waiting = objects.flat().flatMap((object): readonly Found[] => {
      const record = recordOf(object);
      return record === undefined || ids.has(record.id) ? [] : [{ pod: undefined, record }];
    });
    return [...found, ...waiting];
  }

  async #objects(workload: WorkloadName, labelSelector: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
    const { cluster } = this.#world;
    const { resource, group } = workloadKinds[workload];
    return (await cluster.list<KubeObject>(cluster.path(resource, undefined, group), { labelSelector }, signal)).items;
  }
}
