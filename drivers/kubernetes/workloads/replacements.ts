import { reportError } from '@superfluidity/core';
import type { Events } from '@superfluidity/site';
import type { Pod } from '../objects.ts';
import { isGoing, isReady, recordOf, type UnitRecord, wasReady } from '../record.ts';
import type { World } from '../world.ts';
import { workloadKinds } from './kinds.ts';

export interface ReplacementParts {
  readonly world: World;
  readonly events: Events;
  /** Whether somebody is making the unit, and looks after it. */
  readonly isMaking: (id: string) => boolean;
  readonly markReady: (pod: Pod, signal: AbortSignal) => Promise<Pod | undefined>;
  /** Whether its controller is there. */
  readonly hasObject: (record: UnitRecord, signal: AbortSignal) => Promise<boolean>;
}

/**
 * A controller that makes a pod anew, after an eviction for instance, makes the same unit: when it is ready it is marked as one
 * that was, and so found as running. When the pod is gone and the controller too, the unit has stopped.
 */
export class Replacements {
  readonly #parts: ReplacementParts;
  readonly #busy = new Set<string>();

  constructor(parts: ReplacementParts) {
    this.#parts = parts;
  }

  change(before: Pod | undefined, now: Pod | undefined): void {
    const pod = now ?? before;
    const record = pod === undefined ? undefined : recordOf(pod);
    if (pod === undefined || record === undefined || record.workload === 'pod') return;
    if (now === undefined) void this.#look(record);
    else if (isReady(now) && !wasReady(now) && !isGoing(now) && !this.#parts.isMaking(record.id)) void this.#adopt(now);
  }

  async #adopt(pod: Pod): Promise<void> {
    const { world, markReady } = this.#parts;
    const uid = pod.metadata.uid ?? '';
    if (this.#busy.has(uid)) return;
    this.#busy.add(uid);
    try {
      await markReady(pod, world.ask());
    } catch (error) {
      // The next change of the pod is the next attempt.
      world.log.warn({ pod: pod.metadata.name, error: reportError(error) }, 'a pod that was made anew is not marked');
    } finally {
      this.#busy.delete(uid);
    }
  }

  async #look(record: UnitRecord): Promise<void> {
    const { world, events, hasObject } = this.#parts;
    const { id: unitId, workload } = record;
    try {
      if (await hasObject(record, world.ask())) return;
      events.emit({ kind: 'unit', unitId, state: 'stopped', reason: `its ${workloadKinds[workload].kind} is gone` });
    } catch (error) {
      world.log.debug({ unit: unitId, error: reportError(error) }, 'whether a unit is gone is not known yet');
    }
  }
}
