import { ipv4Address, ipv6Address } from '../../filter/addresses.ts';
import type { IpFamily } from '../netfilter/addresses.ts';

export interface LinuxPrefix {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
}

/** `10.0.0.0/8`, `10.0.0.1`, `fd00::/48`; bits beyond the length are cleared. */
export function linuxPrefix(text: string): LinuxPrefix | undefined {
  const [written = '', bits, more] = text.split('/', 3);
  const found = linuxAddress(written);
  if (found === undefined || more !== undefined) return undefined;
  const width = found.family === 'ip' ? 32 : 128;
  const length = bits === undefined ? width : numberOf(bits, width);
  if (length === undefined) return undefined;
  const below = BigInt(width - length);
  return { family: found.family, address: (found.address >> below) << below, length };
}

export interface LinuxAddress {
  readonly family: IpFamily;
  readonly address: bigint;
}

export function linuxAddress(text: string): LinuxAddress | undefined {
  const four = ipv4Address(text);
  if (four !== undefined) return { family: 'ip', address: four };
  const six = ipv6Address(text);
  return six === undefined ? undefined : { family: 'ip6', address: six };
}

export function numberOf(text: string, most: number): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** The words of a line of iproute2, from the first to the last. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  peek(): string | undefined {
    return this.#words[this.#at];
  }

  next(): string | undefined {
    const word = this.#words[this.#at];
    this.#at += 1;
    return word;
  }

  /** The next word, when it is this one. */
  take(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#at += 1;
    return true;
  }
}
