/** How a link between two sites treats packets. Pure: time and chance come as arguments. */

export interface LinkShape {
  /** One way. */
  readonly delayMs: number;
  /** Uniformly distributed around the delay; packets never overtake each other. */
  readonly jitterMs?: number;
  /** Part of 1. */
  readonly loss?: number;
  readonly rateMbps?: number;
}

export interface Departure {
  readonly packet: Buffer;
  readonly dueMs: number;
}

export const QUEUE_PACKETS_MAX = 8192;
const QUEUE_BYTES_MAX = 16 << 20;
/** With a rate: what would wait longer than this to be sent is dropped, as a router with a full queue does. */
const QUEUE_MS_MAX = 200;

/** One direction of a link: packets enter, and leave in order when they are due. Bounded in packets, bytes and time. */
export class ShapedQueue {
  readonly #shape: LinkShape;
  readonly #random: () => number;
  readonly #ring: Departure[] = [];
  #head = 0;
  #bytes = 0;
  #lineFreeMs = 0;
  #lastDueMs = 0;
  dropped = 0;

  constructor(shape: LinkShape, random: () => number) {
    this.#shape = shape;
    this.#random = random;
  }

  /** False when the link loses the packet. */
  enter(packet: Buffer, nowMs: number): boolean {
    const { delayMs, jitterMs = 0, loss = 0, rateMbps } = this.#shape;
    const full = this.length >= QUEUE_PACKETS_MAX || this.#bytes + packet.length > QUEUE_BYTES_MAX;
    const waitMs = Math.max(0, this.#lineFreeMs - nowMs);
    if (full || waitMs > QUEUE_MS_MAX || (loss > 0 && this.#random() < loss)) {
      this.dropped += 1;
      return false;
    }
    if (rateMbps !== undefined) this.#lineFreeMs = nowMs + waitMs + (packet.length * 8) / (rateMbps * 1000);
    const sentMs = rateMbps === undefined ? nowMs : this.#lineFreeMs;
    const jitter = jitterMs === 0 ? 0 : (this.#random() * 2 - 1) * jitterMs;
    const dueMs = Math.max(this.#lastDueMs, sentMs + Math.max(0, delayMs + jitter));
    this.#lastDueMs = dueMs;
    this.#bytes += packet.length;
    this.#ring.push({ packet, dueMs });
    return true;
  }

  get length(): number {
    return this.#ring.length - this.#head;
  }

  /** When the next packet is due; undefined when there is none. */
  get nextDueMs(): number | undefined {
    return this.#ring[this.#head]?.dueMs;
  }

  /** The next packet if it is due. */
  leave(nowMs: number): Buffer | undefined {
    const next = this.#ring[this.#head];
    if (next === undefined || next.dueMs > nowMs) return undefined;
    this.#head += 1;
    this.#bytes -= next.packet.length;
    if (this.#head > 1024) {
      this.#ring.splice(0, this.#head);
      this.#head = 0;
    }
    return next.packet;
  }
}
