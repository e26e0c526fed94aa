import type { Joint, Pin } from './expand.ts';

/** Pins that connections join, directly or through others: disjoint sets. */
export class Nets {
  readonly #members = new Map<Pin, Set<Pin>>();

  constructor(joints: readonly Joint[]) {
    for (const { pins } of joints) {
      const [first, ...rest] = pins;
      if (first === undefined) continue;
      this.members(first);
      for (const pin of rest) this.#join(first, pin);
    }
  }

  /** Those joined with a pin, and itself. The same set for all of them. */
  members(pin: Pin): ReadonlySet<Pin> {
    return this.#set(pin);
  }

  #set(pin: Pin): Set<Pin> {
    const known = this.#members.get(pin);
    if (known !== undefined) return known;
    const alone = new Set([pin]);
    this.#members.set(pin, alone);
    return alone;
  }

  /** The smaller set goes into the larger: no pin moves more often than the logarithm of their number. */
  #join(a: Pin, b: Pin): void {
    const [one, other] = [this.#set(a), this.#set(b)];
    if (one === other) return;
    const [small, large] = one.size < other.size ? [one, other] : [other, one];
    for (const pin of small) {
      large.add(pin);
      this.#members.set(pin, large);
    }
  }
}
