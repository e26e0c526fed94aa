import { SuperfluidityError } from '@superfluidity/core';
import { formatIpv4, type Ipv4, type Ipv4Prefix, isHostAddress, lastAddress } from '@superfluidity/model';
import { addressOf, prefixOf } from './ipv4.ts';

const LENGTH_MIN = 8;
const LENGTH_MAX = 30;

/**
 * The addresses of one IPv4 prefix, without those of the network, of broadcast and of the gateway. Taking and giving
 * back cost the same however many are taken, and memory grows with the addresses that were used, not with the prefix.
 * Deterministic: never used addresses come first, in ascending order, then those given back, the longest ago first, so
 * that an address rests as long as possible before it names something else (ARP caches, late packets).
 */
export class AddressPool {
  readonly prefix: string;
  /** The first address of the prefix unless told otherwise. */
  readonly gateway: string;
  readonly #prefix: Ipv4Prefix;
  readonly #last: Ipv4;
  readonly #gateway: Ipv4;
  readonly #taken = new Set<Ipv4>();
  /** The lowest address that never left in ascending order. */
  #next: Ipv4;
  /** Given back, from `#head` on. May hold addresses that were taken by name meanwhile: they are skipped. */
  #resting: Ipv4[] = [];
  #head = 0;
  /** What `#resting` holds: no address stands in it twice, which bounds it. */
  readonly #queued = new Set<Ipv4>();

  constructor(prefix: string, gateway?: string) {
    this.prefix = prefix;
    this.#prefix = prefixOf(prefix);
    if (this.#prefix.length < LENGTH_MIN || this.#prefix.length > LENGTH_MAX) {
      throw new SuperfluidityError('SF-FABRIC-PREFIX', {
        reason: `${prefix}: the length has to be from ${LENGTH_MIN} to ${LENGTH_MAX}`,
      });
    }
    const first = this.#prefix.base + 1;
    this.#last = lastAddress(this.#prefix) - 1;
    this.#gateway = gateway === undefined ? first : addressOf(gateway);
    if (!this.#isHost(this.#gateway)) {
      throw new SuperfluidityError('SF-FABRIC-PREFIX', { reason: `the gateway ${gateway} does not lie in ${prefix}` });
    }
    this.gateway = formatIpv4(this.#gateway);
    this.#next = first;
  }

  get capacity(): number {
    return this.#last - this.#prefix.base - 1;
  }

  get size(): number {
    return this.#taken.size;
  }

  /** A free address; undefined when there is none left. */
  take(): string | undefined {
    while (this.#next <= this.#last) {
      const address = this.#next;
      this.#next += 1;
      if (address !== this.#gateway && !this.#taken.has(address)) return this.#hand(address);
    }
    while (this.#head < this.#resting.length) {
      const address = this.#resting[this.#head]!;
      this.#head += 1;
      this.#queued.delete(address);
      this.#compact();
      if (!this.#taken.has(address)) return this.#hand(address);
    }
    return undefined;
  }

  /** This very address. `outside` the prefix are also the addresses of the network, of broadcast and of the gateway. */
  takeFixed(address: string): 'ok' | 'in-use' | 'outside' {
    const value = addressOf(address);
    if (!this.#isHost(value) || value === this.#gateway) return 'outside';
    if (this.#taken.has(value)) return 'in-use';
    this.#taken.add(value);
    return 'ok';
  }

  /** False when it was not taken. */
  giveBack(address: string): boolean {
    const value = addressOf(address);
    if (!this.#taken.delete(value)) return false;
    // Addresses that `#next` has still to pass are found by it.
    if (value < this.#next && !this.#queued.has(value)) {
      this.#queued.add(value);
      this.#resting.push(value);
    }
    return true;
  }

  has(address: string): boolean {
    return this.#taken.has(addressOf(address));
  }

  #hand(address: Ipv4): string {
    this.#taken.add(address);
    return formatIpv4(address);
  }

  #isHost(address: Ipv4): boolean {
    return isHostAddress(this.#prefix, address);
  }

  /** Drops what was passed once it is the greater part: each element is moved once on average. */
  #compact(): void {
    if (this.#head < 32 || this.#head * 2 < this.#resting.length) return;
    this.#resting = this.#resting.slice(this.#head);
    this.#head = 0;
  }
}
