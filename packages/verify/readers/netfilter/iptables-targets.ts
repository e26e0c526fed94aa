import { address, familyOf, network, type Range } from './addresses.ts';
import { decimal, dscpClass, number, portNumber } from './names.ts';
import { valueAndMask } from './iptables-matches.ts';
import type { Words } from './iptables-words.ts';
import type { Action, Key, Nat, Value } from './ruleset.ts';

export interface Target {
  readonly actions: readonly Action[];
  /** Why it could not be read; the actions are then the conservative ones. */
  readonly problem?: string;
}

/** Nothing that the model can see is changed by them: logs, counters, checksums, options of TCP, labels. */
const withoutEffect: ReadonlySet<string> = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'TRACE',
  'CHECKSUM',
  'CLASSIFY',
  'AUDIT',
  'TCPMSS',
  'TCPOPTSTRIP',
  'CONNSECMARK',
  'SECMARK',
  'IDLETIMER',
  'RATEEST',
  'LED',
  'TEE',
  'SET',
]);

const MARK = 0xffff_ffffn;

/** The options of the target: name to values. Options may come in any order, so they are read before they are understood. */
type Options = ReadonlyMap<string, readonly string[]>;

function options(args: Words): Options {
  const found = new Map<string, readonly string[]>();
  while (!args.done) {
    const name = args.next();
    found.set(name, args.untilOption());
  }
  return found;
}

export function target(name: string, args: Words, family: 'ip' | 'ip6'): Target {
  if (name === 'ACCEPT') return { actions: [{ is: 'accept' }] };
  if (name === 'DROP') return { actions: [{ is: 'drop', why: 'DROP' }] };
  if (name === 'RETURN') return { actions: [{ is: 'return' }] };
  const given = options(args);
  if (withoutEffect.has(name)) return { actions: [] };
  const known = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (known === undefined) return unknownTarget(name);
  const actions = known(given, family);
  return actions ?? unknownTarget(`${name} ${[...given].flat(2).join(' ')}`);
}

export function isTarget(name: string): boolean {
  return (
    withoutEffect.has(name) || Object.hasOwn(targets, name) || name === 'ACCEPT' || name === 'DROP' || name === 'RETURN'
  );
}

function unknownTarget(what: string): Target {
  return {
    actions: [{ is: 'doubt', what: `target ${what}`, outcomes: ['continue', 'accept', 'drop'] }],
    problem: `target ${what}`,
  };
}

const constant = (value: bigint): Value => ({ is: 'constant', value });
const keep = (key: Key, mask: bigint): Value => ({ is: 'and', left: { is: 'key', key }, right: constant(mask) });
const xor = (left: Value, right: Value): Value => ({ is: 'xor', left, right });

/** `(old & ~mask) ^ value`, of which all the others are cases (xt_mark.c, xt_connmark.c). */
function setMark(key: 'mark' | 'ct.mark', given: Options): Target | undefined {
  const text = (name: string) => given.get(name)?.[0];
  const update = (value: bigint, mask: bigint): Target => ({
    actions: [
      { is: 'assign', key, value: mask === MARK ? constant(value) : xor(keep(key, MARK & ~mask), constant(value)) },
    ],
  });
  for (const name of ['--set-xmark', '--set-mark']) {
    if (!given.has(name)) continue;
    const [value, mask] = valueAndMask(text(name) ?? '', MARK);
    if (value === undefined || mask === undefined) return undefined;
    return update(value, name === '--set-mark' ? mask | value : mask);
  }
  for (const name of ['--and-mark', '--or-mark', '--xor-mark']) {
    const value = number(text(name) ?? '', MARK);
    if (!given.has(name)) continue;
    if (value === undefined) return undefined;
    if (name === '--and-mark') return update(0n, MARK & ~value);
    return name === '--or-mark' ? update(value, value) : update(value, 0n);
  }
  return undefined;
}

function connmark(given: Options): Target | undefined {
  const mask = (name: string) => {
    const text = given.get(name)?.[0] ?? given.get('--mask')?.[0];
    return text === undefined ? MARK : number(text, MARK);
  };
  const saves = given.has('--save-mark');
  if (!saves && !given.has('--restore-mark')) return setMark('ct.mark', given);
  const packet = mask('--nfmask');
  const connection = mask('--ctmask');
  if (packet === undefined || connection === undefined) return undefined;
  const [to, from, toMask, fromMask] = saves
    ? (['ct.mark', 'mark', connection, packet] as const)
    : (['mark', 'ct.mark', packet, connection] as const);
  const value = toMask === MARK ? keep(from, fromMask) : xor(keep(to, MARK & ~toMask), keep(from, fromMask));
  return { actions: [{ is: 'assign', key: to, value }] };
}

/** `1.2.3.4`, `1.2.3.4-1.2.3.9`, `1.2.3.4:80-90`, `:80`, `[fe80::1]:80`, `[fe80::1-fe80::9]`. */
export function translation(text: string): { family?: 'ip' | 'ip6'; addresses?: Range; ports?: Range } | undefined {
  let addressText = text;
  let portText: string | undefined;
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) return undefined;
    addressText = text.slice(1, end);
    const rest = text.slice(end + 1);
    if (rest !== '') portText = rest.startsWith(':') ? rest.slice(1) : undefined;
    if (rest !== '' && portText === undefined) return undefined;
  } else if (text.includes('.')) {
    const colon = text.indexOf(':');
    if (colon >= 0) [addressText, portText] = [text.slice(0, colon), text.slice(colon + 1)];
  } else if (text.startsWith(':') && !text.startsWith('::')) [addressText, portText] = ['', text.slice(1)];
  const found: { family?: 'ip' | 'ip6'; addresses?: Range; ports?: Range } = {};
  if (addressText !== '') {
    const family = familyOf(addressText);
    const [low, high, ...rest] = addressText.split('-');
    const from = address(low!, family);
    const to = high === undefined ? from : address(high, family);
    if (from === undefined || to === undefined || rest.length > 0 || from > to) return undefined;
    found.family = family;
    found.addresses = [from, to];
  }
  if (portText !== undefined) {
    const range = portRange(portText);
    if (range === undefined) return undefined;
    found.ports = range;
  }
  return found;
}

function portRange(text: string): Range | undefined {
  /** `80-90/100` shifts the range: which port it gives is then not told. */
  const [low, high, ...rest] = text.split('/')[0]!.split('-');
  const from = portNumber(low!);
  const to = high === undefined ? from : portNumber(high);
  return from === undefined || to === undefined || rest.length > 0 || from > to ? undefined : [from, to];
}

function nat(of: Nat['of'], option: string, ownAddress: boolean) {
  return (given: Options): Target | undefined => {
    const text = given.get(option)?.[0];
    const random = given.has('--random') || given.has('--random-fully');
    if (text === undefined)
      return ownAddress ? { actions: [{ is: 'nat', nat: { of, ownAddress, random } }] } : undefined;
    if (ownAddress) {
      const ports = portRange(text);
      return ports && { actions: [{ is: 'nat', nat: { of, ownAddress, random, ports } }] };
    }
    const found = translation(text);
    return found && { actions: [{ is: 'nat', nat: { of, ownAddress, random, ...found } }] };
  };
}

/** NETMAP translates the destination before routing and the source after it; which of them the chain says. */
function netmap(given: Options, family: 'ip' | 'ip6'): Target | undefined {
  const text = given.get('--to')?.[0];
  const match = text === undefined ? undefined : network(text, family);
  if (match?.kind !== 'prefix') return undefined;
  const width = family === 'ip' ? 32 : 128;
  const mask = ((1n << BigInt(match.length)) - 1n) << BigInt(width - match.length);
  const nats = (of: Nat['of']): Action => ({
    is: 'nat',
    nat: { of, family, ownAddress: false, random: false, addresses: [match.value, match.value], mask },
  });
  return { actions: [nats('destination'), nats('source')] };
}

function hops(given: Options, family: 'ip' | 'ip6'): Target | undefined {
  const key = family === 'ip' ? 'ip.ttl' : 'ip6.hoplimit';
  const prefix = family === 'ip' ? '--ttl' : '--hl';
  const set = given.get(`${prefix}-set`)?.[0];
  const value = set === undefined ? undefined : decimal(set, 255);
  if (value !== undefined) return { actions: [{ is: 'assign', key, value: constant(value) }] };
  /** --ttl-inc and --ttl-dec stop at 255 and 0. */
  return undefined;
}

function tos(given: Options, family: 'ip' | 'ip6'): Target | undefined {
  const set = given.get('--set-tos')?.[0] ?? given.get('--set-xtos')?.[0];
  const [value, mask] = valueAndMask(set ?? '', 0xffn);
  if (value === undefined || mask === undefined) return undefined;
  const part = (key: Key, shift: bigint, all: bigint): Action => ({
    is: 'assign',
    key,
    value: xor(keep(key, all & ~(mask >> shift)), constant((value >> shift) & all)),
  });
  return { actions: [part(`${family}.dscp`, 2n, 63n), part(`${family}.ecn`, 0n, 3n)] };
}

const targets: Readonly<Record<string, (given: Options, family: 'ip' | 'ip6') => Target | undefined>> = {
  REJECT: (given) => ({ actions: [{ is: 'drop', why: `REJECT ${given.get('--reject-with')?.[0] ?? ''}`.trim() }] }),
  MARK: (given) => setMark('mark', given),
  CONNMARK: connmark,
  NOTRACK: () => ({ actions: [{ is: 'untrack' }] }),
  CT: (given) => {
    if (given.has('--notrack')) return { actions: [{ is: 'untrack' }] };
    /** Zones separate connections with equal addresses; the model follows one flow at a time. */
    return { actions: [] };
  },
  SNAT: nat('source', '--to-source', false),
  DNAT: nat('destination', '--to-destination', false),
  MASQUERADE: nat('source', '--to-ports', true),
  REDIRECT: nat('destination', '--to-ports', true),
  NETMAP: netmap,
  TTL: hops,
  HL: hops,
  TOS: tos,
  DSCP: (given, family) => {
    const value = dscpClass(given.get('--set-dscp')?.[0] ?? given.get('--set-dscp-class')?.[0] ?? '');
    return value === undefined
      ? undefined
      : { actions: [{ is: 'assign', key: `${family}.dscp`, value: constant(value) }] };
  },
  ECN: (given) =>
    given.has('--ecn-tcp-remove')
      ? { actions: [{ is: 'assign', key: 'tcp.flags', value: keep('tcp.flags', 0x1ffn & ~0xc0n) }] }
      : undefined,
  HMARK: () => ({ actions: [{ is: 'assign', key: 'mark', value: { is: 'any' } }] }),
  NFQUEUE: () => ({ actions: [{ is: 'doubt', what: 'NFQUEUE: a program decides', outcomes: ['accept', 'drop'] }] }),
  QUEUE: () => ({ actions: [{ is: 'doubt', what: 'QUEUE: a program decides', outcomes: ['accept', 'drop'] }] }),
  TPROXY: () => ({
    actions: [{ is: 'doubt', what: 'TPROXY: the packet may go to a local program', outcomes: ['continue', 'accept'] }],
  }),
  SYNPROXY: () => ({
    actions: [
      { is: 'doubt', what: 'SYNPROXY: the handshake is answered in its place', outcomes: ['continue', 'drop'] },
    ],
  }),
};
