import { type Clock, largest, SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { limits } from './limits.ts';

/** Counts passwords that were wrong, by name and by address, in the memory of this server. */
export interface Attempts {
  /** Before the password is looked at, so that many at a time are counted too. Throws when there were too many. */
  begin(name: string, address: string): void;
  /** It was right: the name at this address begins anew, and the others take this one back. */
  succeeded(name: string, address: string): void;
}

export interface AttemptsOptions {
  readonly clock: Clock;
  /** Told once for each window in which a bound is reached. */
  readonly onLocked?: (name: string, address: string) => void;
  readonly bounds?: typeof limits.attempts;
}

interface Count {
  count: number;
  readonly untilMs: number;
}

export function createAttempts({ clock, onLocked, bounds = limits.attempts }: AttemptsOptions): Attempts {
  const counts = new Map<string, Count>();

  const countOf = (key: string): Count => {
    const known = counts.get(key);
    if (known !== undefined && known.untilMs > clock.now()) return known;
    counts.delete(key);
    // The oldest goes: of a name at an address there are as many as its address may try.
    for (const [oldest] of counts) if (counts.size >= bounds.keysMax) counts.delete(oldest);
    const made = { count: 0, untilMs: clock.now() + bounds.windowMs };
    counts.set(key, made);
    return made;
  };
  const keysOf = (name: string, address: string) =>
    [
      [`pair ${network(address)} ${name}`, bounds.ofNameAtAddress],
      [`address ${network(address)}`, bounds.ofAddress],
      [`name ${name}`, bounds.ofName],
    ] as const;

  return {
    begin(name, address) {
      const found = keysOf(name, address).map(([key, most]) => ({ one: countOf(key), most }));
      const full = found.filter(({ one, most }) => one.count >= most);
      if (full.length === 0) {
        for (const { one } of found) one.count += 1;
        return;
      }
      for (const { one, most } of full) {
        if (one.count === most) onLocked?.(name, address);
        one.count = most + 1;
      }
      const seconds = largest(full.map(({ one }) => Math.ceil((one.untilMs - clock.now()) / 1_000)));
      throw new SuperfluidityError('SF-ACCESS-TOO-MANY', {
        doing: `sign in as ${name}`,
        reason: `too many passwords were wrong; try again in ${seconds} s`,
        data: { retryAfterS: seconds },
      });
    },
    succeeded(name, address) {
      const [pair, ...others] = keysOf(name, address);
      counts.delete(pair[0]);
      for (const [key] of others) {
        const one = counts.get(key);
        if (one !== undefined) one.count = Math.max(0, one.count - 1);
      }
    },
  };
}

/** Of IPv6 the first 64 bits: a caller has all the addresses below them. */
function network(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const left = head.split(':').filter((one) => one !== '');
  const right = (tail ?? '').split(':').filter((one) => one !== '');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
