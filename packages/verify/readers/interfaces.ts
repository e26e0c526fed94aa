import { macAddress } from '../filter/addresses.ts';
import type { SourceRef } from '../ir/source.ts';
import { LineLedger } from '../read/ledger.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { wordsOf } from '../read/words.ts';
import { listedInterfaces } from './interfaces-json.ts';
import {
  addressOf,
  bridgeOf,
  bridgePortOf,
  otherKinds,
  type ReadInterface,
  type Vxlan,
  wireKinds,
} from './linux/interface.ts';
import { linuxAddress } from './linux/words.ts';

type Draft = { -readonly [K in keyof ReadInterface]: ReadInterface[K] };

export function looksLikeInterfaces(text: string): boolean {
  const begin = text.slice(0, 4_096);
  return /^\d+:\s+\S+\s+(?:inet6?\s|<)|^\d+: \S+: </m.test(begin) || /^\s*\[\s*\{\s*"ifindex"\s*:/.test(begin);
}

/** `ip [-d] addr` and `ip [-d] link`, `ip -o addr` with one address on a line, and their JSON (iproute2). */
export function readInterfaces(file: InputFile): Reading<readonly ReadInterface[]> {
  if (/^\s*\[/.test(file.text)) return listedInterfaces(file);
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ip addr', lines.length);
  const found = new Map<string, Draft>();
  let current: Draft | undefined;
  lines.forEach((text, i) => {
    const line = i + 1;
    const words = wordsOf(text);
    if (words.length === 0) return;
    if (/^\d+:$/.test(words[0]!) && words[1] !== undefined) {
      const begun = headOf(words, ledger.at(line, text));
      current = found.get(begun.name) ?? begun;
      found.set(begun.name, current);
      ledger.used(line);
      // `ip -o` has an address on the same line.
      if (!words.some(isFamily)) return;
    } else if (current !== undefined && readDetail(words, current, (why) => ledger.notUnderstood(line, why))) {
      ledger.used(line);
      return;
    }
    const at = words.findIndex(isFamily);
    if (at < 0) {
      ledger.withoutEffect(line, 'no address');
      return;
    }
    const address = addressOf(words[at + 1] ?? '');
    if (current === undefined || address === undefined) {
      ledger.notUnderstood(line, 'no interface with an address');
      return;
    }
    current.addresses = [...current.addresses, address];
    ledger.used(line);
  });
  return { value: [...found.values()], reading: ledger.reading() };
}

const isFamily = (word: string) => word === 'inet' || word === 'inet6';

/** `200: eth0@if100: <BROADCAST,UP> mtu 1500 ... master br0` */
function headOf(words: readonly string[], source: SourceRef): Draft {
  const [name = '', peer] = words[1]!.replace(/:$/, '').split('@', 2);
  const flags = words[2]?.startsWith('<') === true ? words[2].slice(1, -1).split(',') : undefined;
  const mtu = mtuOf(words);
  const master = after(words, 'master');
  return {
    name,
    addresses: [],
    index: Number(words[0]!.slice(0, -1)),
    ...(flags === undefined ? {} : { up: flags.includes('UP') && !flags.includes('NO-CARRIER') }),
    ...(mtu === undefined || mtu === 0 ? {} : { mtu: { bytes: mtu, source } }),
    ...(master === undefined ? {} : { master }),
    ...(peer === undefined ? {} : { peer: /^if\d+$/.test(peer) ? { index: Number(peer.slice(2)) } : { name: peer } }),
  };
}

/** Of one interface, what the lines behind its first say. */
function readDetail(words: readonly string[], to: Draft, refuse: (why: string) => void): boolean {
  const [first = '', second = ''] = words;
  if (first.startsWith('link/')) {
    const mac = macAddress(second);
    if (mac !== undefined && first === 'link/ether') to.mac = mac;
    const namespace = after(words, 'link-netns');
    if (namespace !== undefined) to.peer = { ...to.peer, namespace };
    return true;
  }
  if (first === 'vxlan') {
    to.kind = 'vxlan';
    const vxlan = vxlanOf(words);
    if (typeof vxlan === 'string') refuse(vxlan);
    else to.vxlan = vxlan;
    return true;
  }
  if (first === 'bridge_slave') {
    to.bridgePort = bridgePortOf((name) => after(words, name));
    return true;
  }
  if (wireKinds.has(first)) {
    to.kind = first;
    if (first === 'bridge') to.bridge = bridgeOf((name) => after(words, name));
    return true;
  }
  if (otherKinds.has(first)) {
    to.kind = first;
    refuse(`${to.name} is an interface of the kind ${first}`);
    return true;
  }
  return false;
}

/** What the model has nothing of. */
const STRANGE = ['external', 'gbp', 'gpe', 'proxy', 'rsc', 'group', 'l2miss', 'l3miss', 'vnifilter'];

function vxlanOf(words: readonly string[]): Vxlan | string {
  const strange = words.find((word) => STRANGE.includes(word));
  if (strange !== undefined) return `VXLAN with '${strange}'`;
  const id = Number(after(words, 'id'));
  const port = Number(after(words, 'dstport') ?? '8472');
  if (!Number.isInteger(id) || !Number.isInteger(port)) return 'VXLAN without a number';
  const address = (word: string) => linuxAddress(after(words, word) ?? '');
  const [local, remote] = [address('local'), address('remote')];
  return {
    id,
    port,
    learning: !words.includes('nolearning'),
    ...(local === undefined ? {} : { local }),
    ...(remote === undefined ? {} : { remote }),
  };
}

function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}

/** The number behind the word `mtu`. */
export function mtuOf(words: readonly string[]): number | undefined {
  const text = after(words, 'mtu') ?? '';
  return /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
