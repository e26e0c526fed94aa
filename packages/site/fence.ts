import { SuperfluidityError } from '@superfluidity/core';

/**
 * Refuses callers that were replaced. Every server holds a fencing token that grows with each take-over; a site remembers
 * the highest that it has seen and refuses all lower ones, so that a server which was frozen and comes back does no harm
 * (Kleppmann, How to do distributed locking, 2016; Burrows, The Chubby lock service, OSDI 2006, section 2.4).
 */
export class FenceGuard {
  readonly #site: string;
  readonly #persist: (fence: number) => void | Promise<void>;
  #highest: number;
  #persisted: number;
  #writing: Promise<void> = Promise.resolve();

  /** `persist` has to be durable when it resolves: a fence that is forgotten lets an old caller in again. */
  constructor(site: string, highest: number, persist: (fence: number) => void | Promise<void>) {
    this.#site = site;
    this.#highest = highest;
    this.#persisted = highest;
    this.#persist = persist;
  }

  get highest(): number {
    return this.#highest;
  }

  /** Resolves when the caller may act. A new highest fence refuses lower ones from this moment, before it is durable. */
  async admit(call: { readonly key: string; readonly fence: number }): Promise<void> {
    checkFence(this.#site, this.#highest, call);
    this.#highest = call.fence;
    if (call.fence > this.#persisted) await this.#write(call.fence);
    checkFence(this.#site, this.#highest, call);
  }

  /** One write at a time, in ascending order. A write that fails is tried again by the next call. */
  #write(fence: number): Promise<void> {
    const attempt = this.#writing.then(async () => {
      if (fence <= this.#persisted) return;
      await this.#persist(fence);
      this.#persisted = fence;
    });
    this.#writing = attempt.catch(() => {});
    return attempt;
  }
}

/** Throws `SF-SITE-FENCED` when the call's fence is lower than the highest seen. */
export function checkFence(
  site: string,
  highest: number,
  call: { readonly key: string; readonly fence: number },
): void {
  if (call.fence >= highest) return;
  throw new SuperfluidityError('SF-SITE-FENCED', {
    doing: `act on site ${site}`,
    reason: `the caller has fence ${call.fence}, the site has seen ${highest}`,
    data: { site, key: call.key, fence: call.fence, highest },
  });
}
