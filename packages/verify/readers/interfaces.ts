import type { Mtu } from '../network.ts';
import { LineLedger } from '../read/ledger.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { address as parseAddress, familyOf, mac } from './netfilter/addresses.ts';

export interface ReadInterface {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly mac?: bigint;
  readonly mtu?: Mtu;
}

interface InterfaceAddress {
  readonly family: 'ip' | 'ip6';
  readonly address: bigint;
  readonly length: number;
}

export function looksLikeInterfaces(text: string): boolean {
  return /^\d+:\s+\S+\s+(?:inet6?\s|<)|^\d+: \S+: </m.test(text.slice(0, 4_096));
}

/** `ip addr` and `ip link`, and `ip -o addr` with one address on a line (iproute2). */
export function readInterfaces(file: InputFile): Reading<readonly ReadInterface[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ip addr', lines.length);
  const found = new Map<string, InterfaceAddress[]>();
  const macs = new Map<string, bigint>();
  const mtus = new Map<string, Mtu>();
  let current: string | undefined;
  lines.forEach((text, i) => {
    const line = i + 1;
    const words = text.trim().split(/\s+/);
    if (words[0] === '') return;
    if (/^\d+:$/.test(words[0]!) && words[1] !== undefined) {
      // `eth0@if7` is a veth whose peer has number 7.
      current = words[1].replace(/:$/, '').split('@')[0]!;
      found.set(current, found.get(current) ?? []);
      ledger.used(line);
      const mtu = mtuOf(words);
      if (mtu !== undefined) {
        mtus.set(current, { bytes: mtu, source: ledger.at(line, text) });
        return;
      }
    }
    const link = words[0] === 'link/ether' ? mac(words[1] ?? '') : undefined;
    if (link !== undefined && current !== undefined) {
      macs.set(current, link);
      ledger.used(line);
      return;
    }
    const at = words.findIndex((word) => word === 'inet' || word === 'inet6');
    if (at < 0) {
      ledger.withoutEffect(line, 'no address');
      return;
    }
    const [text4, bits] = (words[at + 1] ?? '').split('/');
    const family = familyOf(text4 ?? '');
    const address = parseAddress(text4 ?? '', family);
    const length = bits === undefined ? (family === 'ip' ? 32 : 128) : Number(bits);
    if (
      current === undefined ||
      address === undefined ||
      !Number.isInteger(length) ||
      length < 0 ||
      length > (family === 'ip' ? 32 : 128)
    ) {
      ledger.notUnderstood(line, 'no interface with an address');
      return;
    }
    found.get(current)!.push({ family, address, length });
    ledger.used(line);
  });
  const value = [...found].map(([name, addresses]): ReadInterface => {
    const [own, mtu] = [macs.get(name), mtus.get(name)];
    return { name, addresses, ...(own === undefined ? {} : { mac: own }), ...(mtu === undefined ? {} : { mtu }) };
  });
  return { value, reading: ledger.reading() };
}

/** The number behind the word `mtu`. */
export function mtuOf(words: readonly string[]): number | undefined {
  const at = words.indexOf('mtu');
  const text = at < 0 ? '' : (words[at + 1] ?? '');
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
