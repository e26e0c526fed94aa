import { append } from '@superfluidity/core';
import type { Event } from '@superfluidity/api';

/**
 * The newest events, shared by all followers: however many they are, each event is read from the database once. It
 * holds every event whose id is above `floor`, up to `head`.
 */
export class EventTail {
  readonly #capacity: number;
  #events: Event[] = [];
  #floor: number;
  #head: number;

  constructor(capacity: number, head: number) {
    this.#capacity = capacity;
    this.#floor = head;
    this.#head = head;
  }

  get head(): number {
    return this.#head;
  }

  add(events: readonly Event[]): void {
    if (events.length === 0) return;
    append(this.#events, events);
    this.#head = events.at(-1)!.id;
    const excess = this.#events.length - this.#capacity;
    if (excess <= 0) return;
    this.#floor = this.#events[excess - 1]!.id;
    this.#events = this.#events.slice(excess);
  }

  /** What came after the id; undefined when some of it is too old to be here. */
  after(id: number): readonly Event[] | undefined {
    if (id < this.#floor) return undefined;
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.id > id) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }
}
