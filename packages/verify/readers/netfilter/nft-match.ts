import { append } from '@superfluidity/core';
import type { Match } from '../../ir/table.ts';
import { isList, isObject, only, textOf, type Json, type JsonObject } from './nft-ast.ts';
import { hasBits, isInterface, keyWidth, matchOf, namesOf, operand, scalar, type Operand } from './nft-keys.ts';
import { negate, setOf } from './addresses.ts';
import type { AddressType, Key, Test } from './ruleset.ts';

/** Named sets and maps of one table. */
export interface NamedSet {
  readonly elements: readonly Json[];
  /** Rules add to it, so that what it holds is not known. */
  readonly dynamic: boolean;
}
export type NamedSets = ReadonlyMap<string, NamedSet>;

/** Undefined: not understood. */
export type Tests = readonly Test[] | undefined;

/** `{"op": "==", "left": ..., "right": ...}` */
export function matchTests(statement: JsonObject, sets: NamedSets): Tests {
  const left = statement['left'] ?? null;
  const op = textOf(statement['op']) ?? '==';
  const named = namedSet(statement['right'] ?? null, sets);
  if (named === 'dynamic') {
    return [{ is: 'unknown', what: `the set ${JSON.stringify(statement['right'])}, to which rules add` }];
  }
  if (named === undefined) return undefined;
  return compareTests(left, op, named);
}

/** `@name` becomes the set itself, or `dynamic` when packets add to it. */
export function namedSet(value: Json, sets: NamedSets): Json | undefined {
  if (typeof value !== 'string' || !value.startsWith('@')) return value;
  const found = sets.get(value.slice(1));
  if (found === undefined) return undefined;
  return found.dynamic ? 'dynamic' : { set: found.elements };
}

/** Of the packet's way here, of sockets and clocks: nothing that the packet shows. */
const circumstances: ReadonlySet<string> = new Set([
  'random',
  'iiftype',
  'oiftype',
  'skuid',
  'skgid',
  'nftrace',
  'rtclassid',
  'pkttype',
  'cpu',
  'iifgroup',
  'oifgroup',
  'cgroup',
  'priority',
  'time',
  'day',
  'hour',
  'secpath',
  'ipsec',
  'sdif',
  'sdifname',
]);

function compareTests(left: Json, op: string, right: Json): Tests {
  const [kind, inner] = only(left) ?? [];
  if (kind === 'concat' && isList(inner)) return concatTests(inner, op, right);
  if (kind === 'fib' && isObject(inner)) return fibTests(inner, op, right);
  if (kind === 'meta' && isObject(inner)) {
    const key = inner['key'];
    if (key === 'nfproto' || key === 'protocol') return familyTests(op, right);
    if (key === 'iiftype' || key === 'oiftype') {
      /** Of the kinds of interface only the loopback is told apart; the test for Ethernet stands before its fields. */
      const loopback = right === 'loopback' || right === 772;
      if (loopback || right === 'ether' || right === 1) {
        const only = key === 'iiftype' ? 'iif' : 'oif';
        return [{ is: 'interface', key: only, names: ['lo'], negated: loopback !== (op === '==') }];
      }
    }
    if (typeof key === 'string' && circumstances.has(key)) return [{ is: 'unknown', what: `meta ${key}` }];
  }
  if (
    kind === 'numgen' ||
    kind === 'jhash' ||
    kind === 'symhash' ||
    kind === 'socket' ||
    kind === 'osf' ||
    kind === 'rt'
  )
    return [{ is: 'unknown', what: `${kind}` }];
  if (kind === '&' && isList(inner) && inner.length === 2) return maskedTests(inner[0]!, inner[1]!, op, right);
  const payload = isObject(inner) ? fragment(kind, inner) : undefined;
  if (payload !== undefined) return maskedFragment(0xffffn, op, right);
  const found = operand(left);
  return found && operandTests(found, op, right);
}

function operandTests({ key, implies }: Operand, op: string, right: Json): Tests {
  if (isInterface(key)) {
    const names = namesOf(right);
    if (names === undefined || (op !== '==' && op !== '!=' && op !== 'in')) return undefined;
    return [...implies, { is: 'interface', key, names, negated: op === '!=' }];
  }
  if (op === '==' || op === '!=') {
    const match = op === '!=' ? (between(key, right) ?? matchOf(key, right)) : matchOf(key, right);
    return match && [...implies, { is: 'match', key, match: negate(match, op === '!=') }];
  }
  if (op === 'in' || op === '!') {
    const bits = hasBits(key) ? scalar(key, right) : undefined;
    const match: Match | undefined = bits === undefined ? undefined : { kind: 'mask', value: 0n, mask: bits };
    if (match !== undefined) return [...implies, { is: 'match', key, match: negate(match, op === 'in') }];
    return op === 'in' ? operandTests({ key, implies }, '==', right) : undefined;
  }
  const value = scalar(key, right);
  const max = (1n << BigInt(keyWidth(key))) - 1n;
  if (value === undefined) return undefined;
  const range = {
    '<': [0n, value - 1n],
    '<=': [0n, value],
    '>': [value + 1n, max],
    '>=': [value, max],
  }[op];
  if (range === undefined) return undefined;
  const [low, high] = range as [bigint, bigint];
  return low > high ? [{ is: 'never' }] : [...implies, { is: 'match', key, match: { kind: 'range', low, high } }];
}

/** nft lists `< 80` and `> 53`, one behind the other, as `!= 80-53`: neither below the one nor above the other. */
function between(key: Key, right: Json): Match | undefined {
  const [form, inner] = only(right) ?? [];
  if (form !== 'range' || !isList(inner) || inner.length !== 2) return undefined;
  const [high, low] = [scalar(key, inner[0]!), scalar(key, inner[1]!)];
  if (high === undefined || low === undefined || high <= low) return undefined;
  /** To be negated by the caller. */
  return { kind: 'other', of: setOf(high - low < 2n ? [] : [[low + 1n, high - 1n]]) };
}

/** `(left & mask) op right`. */
function maskedTests(left: Json, maskValue: Json, op: string, right: Json): Tests {
  const [kind, inner] = only(left) ?? [];
  if (isObject(inner) && fragment(kind, inner) !== undefined) {
    return typeof maskValue === 'number' ? maskedFragment(BigInt(maskValue), op, right) : undefined;
  }
  const found = operand(left);
  if (found === undefined || isInterface(found.key)) return undefined;
  const mask = scalar(found.key, maskValue);
  const value = scalar(found.key, right);
  if (mask === undefined || value === undefined || (op !== '==' && op !== '!=')) return undefined;
  if ((value & ~mask) !== 0n) return op === '==' ? [{ is: 'never' }] : found.implies;
  const match: Match = { kind: 'mask', value, mask };
  return [...found.implies, { is: 'match', key: found.key, match: negate(match, op === '!=') }];
}

/** `ip frag-off` is the flags and the offset together. */
function fragment(kind: string | undefined, inner: JsonObject): true | undefined {
  return kind === 'payload' && inner['protocol'] === 'ip' && inner['field'] === 'frag-off' ? true : undefined;
}

function maskedFragment(mask: bigint, op: string, right: Json): Tests {
  if (typeof right !== 'number' || !Number.isSafeInteger(right) || (op !== '==' && op !== '!=')) return undefined;
  const value = BigInt(right);
  const tests: Test[] = [
    { is: 'match', key: 'ip.flags', match: { kind: 'mask', value: value >> 13n, mask: mask >> 13n } },
    { is: 'match', key: 'ip.fragment', match: { kind: 'mask', value: value & 0x1fffn, mask: mask & 0x1fffn } },
  ];
  const isIp: Test = { is: 'family', families: ['ip'] };
  return op === '==' ? [isIp, ...tests] : [isIp, { is: 'either', of: [tests], negated: true }];
}

function familyTests(op: string, right: Json): Tests {
  const known: Readonly<Record<string, 'ip' | 'ip6'>> = { ipv4: 'ip', ipv6: 'ip6', ip: 'ip', ip6: 'ip6' };
  const names = namesOf(right);
  if (names === undefined || (op !== '==' && op !== '!=')) return undefined;
  const families = names.flatMap((name) => (Object.hasOwn(known, name) ? [known[name]!] : []));
  const both = ['ip', 'ip6'] as const;
  return [{ is: 'family', families: both.filter((one) => families.includes(one) === (op === '==')) }];
}

function concatTests(parts: readonly Json[], op: string, right: Json): Tests {
  if (op !== '==' && op !== '!=') return undefined;
  const elements = isObject(right) && isList(right['set']) ? right['set'] : [right];
  const implies = parts.flatMap((part) => operand(part)?.implies ?? []);
  const rows: (readonly Test[])[] = [];
  for (const element of elements) {
    const row = concatRow(parts, element);
    if (row === undefined) return undefined;
    rows.push(row);
  }
  return [...implies, { is: 'either', of: rows, negated: op === '!=' }];
}

/** The tests of one element of a concatenation, without what the parts imply. */
function concatRow(parts: readonly Json[], element: Json): Tests {
  const bare = isObject(element) && isObject(element['elem']) ? (element['elem']['val'] ?? null) : element;
  if (bare === '*') return [];
  const values = isObject(bare) && isList(bare['concat']) ? bare['concat'] : undefined;
  if (values === undefined || values.length !== parts.length) return undefined;
  const row: Test[] = [];
  for (const [index, part] of parts.entries()) {
    const found = operand(part);
    const tests = found && operandTests({ key: found.key, implies: [] }, '==', values[index]!);
    if (tests === undefined) return undefined;
    append(row, tests);
  }
  return row;
}

/** `fib daddr type local`, `fib saddr . iif oif missing`. */
function fibTests(fib: JsonObject, op: string, right: Json): Tests {
  const given = isList(fib['flags']) ? fib['flags'] : [fib['flags'] ?? null];
  const side = given.includes('saddr') ? 'source' : 'destination';
  if (fib['result'] === 'type') {
    const types = namesOf(right);
    if (types === undefined || (op !== '==' && op !== '!=')) return undefined;
    const limit = given.includes('iif') ? 'iif' : given.includes('oif') ? 'oif' : undefined;
    return [
      {
        is: 'address type',
        side,
        types: types as AddressType[],
        negated: op === '!=',
        ...(limit === undefined ? {} : { limit }),
      },
    ];
  }
  if (side !== 'source' || given.includes('mark')) return undefined;
  const missing = right === false || right === 0;
  if (typeof right !== 'boolean' && right !== 0) return undefined;
  return [{ is: 'reverse path', loose: !given.includes('iif'), negated: missing === (op === '==') }];
}

/** The cases of a map: for each element the tests for its key, and its value. */
export function mapCases(
  key: Json,
  data: Json,
  sets: NamedSets,
): { tests: readonly Test[]; value: Json }[] | undefined {
  const named = namedSet(data, sets);
  const elements =
    isObject(named ?? null) && isList((named as JsonObject)['set'])
      ? ((named as JsonObject)['set'] as readonly Json[])
      : undefined;
  if (elements === undefined) return undefined;
  const cases: { tests: readonly Test[]; value: Json }[] = [];
  let otherwise: Json | undefined;
  for (const element of elements) {
    if (!isList(element) || element.length !== 2) return undefined;
    const [from, value] = [element[0]!, element[1]!];
    if (from === '*') {
      otherwise = value;
      continue;
    }
    const bare = isObject(from) && isObject(from['elem']) ? (from['elem']['val'] ?? null) : from;
    const tests = compareTests(key, '==', bare);
    if (tests === undefined) return undefined;
    cases.push({ tests, value });
  }
  if (otherwise !== undefined) {
    /** The catch-all stands behind the others; the first case that applies wins. */
    const [kind, inner] = only(key) ?? [];
    const implies =
      kind === 'concat' && isList(inner)
        ? inner.flatMap((part) => operand(part)?.implies ?? [])
        : (operand(key)?.implies ?? []);
    cases.push({ tests: implies, value: otherwise });
  }
  return cases;
}
