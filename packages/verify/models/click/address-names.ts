import {
  addressBlock,
  ipv4Address,
  macAddress,
  prefixMask,
  shortNet,
  type AddressBlock,
} from '../../filter/addresses.ts';
import type { ClickElement } from '@superfluidity/click';

/** Names of addresses that AddressInfo elements give, and addresses as Click writes them. */
export class AddressNames {
  readonly #named = new Map<string, readonly string[]>();

  constructor(elements: readonly ClickElement[]) {
    for (const { className, arguments: given } of elements) {
      if (className !== 'AddressInfo') continue;
      for (const { text } of given) {
        const [name, ...values] = text.split(' ');
        if (name !== undefined && name !== '') this.#named.set(name, values);
      }
    }
  }

  ip(text: string): bigint | undefined {
    const [name, kind] = text.split(':', 2);
    const values = kind === undefined || kind === 'ip' ? this.#named.get(name!) : undefined;
    const found = values?.map((value) => ipv4Address(value.split('/')[0]!)).find((value) => value !== undefined);
    return found ?? ipv4Address(text);
  }

  ether(text: string): bigint | undefined {
    const [name, kind] = text.split(':', 2);
    const values = kind === undefined || kind.startsWith('eth') ? this.#named.get(name!) : undefined;
    return values?.map(macAddress).find((value) => value !== undefined) ?? macAddress(text);
  }

  /** `18.26.4/24`, `0/0`, `1.2.3.4`, `10.0.0.0/255.0.0.0`. */
  prefix(text: string): AddressBlock | undefined {
    const named = this.#named.get(text.split(':')[0]!)?.find((value) => addressBlock(value) !== undefined);
    const written = named ?? text;
    const full = addressBlock(written);
    if (full !== undefined) return full.width === 32 ? full : undefined;
    const [address = '', length = ''] = written.split('/');
    const short = shortNet(address);
    if (short === undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined;
    const mask = prefixMask(32, Number(length));
    return { width: 32, value: short.value & mask, mask };
  }

  /** A filter with the names in it replaced by what they stand for. */
  inFilter(text: string): string {
    if (this.#named.size === 0) return text;
    return text
      .split(' ')
      .map((word) => this.#named.get(word)?.find((value) => addressBlock(value) !== undefined) ?? word)
      .join(' ');
  }
}
