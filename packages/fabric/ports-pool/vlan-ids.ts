import { SuperfluidityError } from '@superfluidity/core';

/** Both are in it. */
export interface VlanRange {
  readonly first: number;
  readonly last: number;
}

/** All that a tag can say (IEEE 802.1Q). */
const ALL: VlanRange = { first: 1, last: 4094 };

/**
 * VLAN ids of trunks. What the trunk says is there counts, and besides it what was promised and is not there yet. Ids are
 * given in a circle: one that was released is not given again at once, since the host may not have taken the old one down.
 */
export class VlanIds {
  readonly #range: VlanRange;
  readonly #promised = new Map<string, Set<number>>();
  readonly #last = new Map<string, number>();

  constructor(range: VlanRange = ALL) {
    this.#range = range;
  }

  /** So many different ones, which are promised until they are `settled`. */
  take(trunk: string, there: ReadonlySet<number>, count: number): readonly number[] {
    const promised = this.#promised.get(trunk) ?? new Set<number>();
    const taken: number[] = [];
    const { first, last } = this.#range;
    let id = this.#last.get(trunk) ?? last;
    for (let tried = first; tried <= last && taken.length < count; tried += 1) {
      id = id >= last ? first : id + 1;
      if (!there.has(id) && !promised.has(id)) taken.push(id);
    }
    if (taken.length < count) {
      throw new SuperfluidityError('SF-FABRIC-VLAN', {
        doing: `add ${count} ports to trunk ${trunk}`,
        reason: `${last - first + 1} VLAN ids are all a trunk has, and ${last - first + 1 - taken.length} are in use`,
      });
    }
    for (const one of taken) promised.add(one);
    this.#promised.set(trunk, promised);
    this.#last.set(trunk, id);
    return taken;
  }

  /** They are in the trunk now, or will not be. */
  settled(trunk: string, ids: readonly number[]): void {
    const promised = this.#promised.get(trunk);
    for (const id of ids) promised?.delete(id);
    if (promised?.size === 0) this.#promised.delete(trunk);
  }
}
