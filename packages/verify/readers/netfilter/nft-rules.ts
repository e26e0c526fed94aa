import { append } from '@superfluidity/core';
import type { Range } from './addresses.ts';
import { isList, isObject, only, textOf, type Json, type JsonObject } from './nft-ast.ts';
import { addressRange, isInterface, operand, scalar } from './nft-keys.ts';
import { mapCases, matchTests, type NamedSets } from './nft-match.ts';
import { portNumber } from './names.ts';
import type { Action, Key, Nat, Part, Value } from './ruleset.ts';

export interface NftRule {
  readonly parts: readonly Part[];
  readonly problems: readonly string[];
}

/** Statements that change nothing the model can see. */
const withoutEffect: ReadonlySet<string> = new Set([
  'counter',
  'log',
  'comment',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'continue',
  'secmark',
  'flow',
  'dup',
]);

/** Statements that are also tests, of rates and amounts. */
const circumstances: ReadonlySet<string> = new Set(['limit', 'quota', 'ct count', 'meter', 'last']);

/** The expressions of one rule. */
export function ruleParts(expressions: readonly Json[], sets: NamedSets): NftRule {
  const parts: Part[] = [];
  const problems: string[] = [];
  const unknown = (expression: Json) => {
    const what = JSON.stringify(expression).slice(0, 120);
    problems.push(what);
    parts.push({ is: 'unknown', what });
  };
  for (const [index, expression] of expressions.entries()) {
    const [kind, value] = only(expression) ?? ['', null];
    if (withoutEffect.has(kind)) continue;
    if (circumstances.has(kind)) {
      parts.push({ is: 'unknown', what: `${kind} ${describe(value)}`.trim() });
      continue;
    }
    if (kind === 'match' && isObject(value)) {
      const tests = matchTests(value, sets);
      if (tests === undefined) unknown(expression);
      else append(parts, tests);
      continue;
    }
    const map = mapOf(kind, value);
    if (map !== undefined) {
      const cases = mapCases(map.key, map.data, sets);
      const rest = ruleParts(expressions.slice(index + 1), sets);
      const applied = cases?.map(({ tests, value: result }) => ({ tests, actions: statement(kind, map.put(result)) }));
      if (applied === undefined || applied.some(({ actions }) => actions === undefined)) {
        unknown(expression);
        continue;
      }
      parts.push({
        is: 'cases',
        cases: applied.map(({ tests, actions }) => ({ tests, parts: [...actions!, ...rest.parts] })),
      });
      return { parts, problems: [...problems, ...rest.problems] };
    }
    const actions = statement(kind, value);
    if (actions === undefined) {
      problems.push(JSON.stringify(expression).slice(0, 120));
      parts.push({
        is: 'doubt',
        what: JSON.stringify(expression).slice(0, 120),
        outcomes: ['continue', 'accept', 'drop'],
      });
    } else append(parts, actions);
  }
  return { parts, problems };
}

function describe(value: Json): string {
  if (!isObject(value)) return '';
  if (typeof value['said'] === 'string') return value['said'];
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${typeof inner === 'object' ? JSON.stringify(inner) : String(inner)}`)
    .join(' ')
    .slice(0, 100);
}

/** Statements with a map inside are one case for each element. */
function mapOf(kind: string, value: Json): { key: Json; data: Json; put: (result: Json) => Json } | undefined {
  if (!isObject(value)) return undefined;
  if (kind === 'vmap') return { key: value['key'] ?? null, data: value['data'] ?? null, put: (result) => result };
  const field =
    kind === 'snat' || kind === 'dnat' ? 'addr' : kind === 'redirect' || kind === 'masquerade' ? 'port' : 'value';
  if (field === 'value' && kind !== 'mangle') return undefined;
  const inner = value[field];
  if (!isObject(inner) || !isObject(inner['map'])) return undefined;
  return {
    key: inner['map']['key'] ?? null,
    data: inner['map']['data'] ?? null,
    put: (result) => ({ ...value, [field]: result }),
  };
}

function statement(kind: string, value: Json): readonly Action[] | undefined {
  if (kind === 'vmap') {
    const [verdict, target] = only(value) ?? ['', null];
    return statement(verdict, target);
  }
  if (kind === 'accept') return [{ is: 'accept' }];
  if (kind === 'continue') return [];
  if (kind === 'drop') return [{ is: 'drop', why: 'drop' }];
  if (kind === 'return') return [{ is: 'return' }];
  if (kind === 'jump' || kind === 'goto') {
    const chain = isObject(value) ? textOf(value['target']) : undefined;
    return chain === undefined ? undefined : [{ is: 'jump', chain, goto: kind === 'goto' }];
  }
  if (kind === 'reject') return [{ is: 'drop', why: `reject ${isObject(value) ? describe(value) : ''}`.trim() }];
  if (kind === 'notrack') return [{ is: 'untrack' }];
  if (kind === 'queue') return [{ is: 'doubt', what: 'queue: a program decides', outcomes: ['accept', 'drop'] }];
  if (kind === 'tproxy') {
    return [{ is: 'doubt', what: 'tproxy: the packet may go to a local program', outcomes: ['continue', 'accept'] }];
  }
  if (kind === 'synproxy') {
    return [{ is: 'doubt', what: 'synproxy: the handshake is answered in its place', outcomes: ['continue', 'drop'] }];
  }
  if (kind === 'set' || kind === 'map') return isObject(value) && value['stmt'] === undefined ? [] : undefined;
  if (kind === 'snat' || kind === 'dnat') return translation(kind, isObject(value) ? value : {});
  if (kind === 'masquerade' || kind === 'redirect') {
    const nat = natOf(kind === 'masquerade' ? 'source' : 'destination', true, isObject(value) ? value : {}, undefined);
    return nat && [{ is: 'nat', nat }];
  }
  return kind === 'mangle' && isObject(value) ? mangle(value) : undefined;
}

function translation(kind: 'snat' | 'dnat', value: JsonObject): readonly Action[] | undefined {
  const address = value['addr'];
  const family = value['family'] === 'ip6' ? 'ip6' : value['family'] === 'ip' ? 'ip' : familyOfAddress(address ?? null);
  const nat = natOf(kind === 'snat' ? 'source' : 'destination', false, value, family);
  return nat && [{ is: 'nat', nat }];
}

function familyOfAddress(value: Json): 'ip' | 'ip6' {
  return JSON.stringify(value).includes(':') && !isObject(value) ? 'ip6' : 'ip';
}

function natOf(
  of: Nat['of'],
  ownAddress: boolean,
  value: JsonObject,
  family: 'ip' | 'ip6' | undefined,
): Nat | undefined {
  const flags = isList(value['flags']) ? value['flags'] : [value['flags'] ?? null];
  const random = flags.includes('random') || flags.includes('fully-random');
  let address = value['addr'];
  let port = value['port'];
  /** From a map to `address . port`. */
  if (isObject(address) && isList(address['concat'])) [address, port] = [address['concat'][0]!, address['concat'][1]!];
  const addresses = address === undefined || family === undefined ? undefined : addressRange(address, family);
  if (address !== undefined && addresses === undefined) return undefined;
  const ports = port === undefined ? undefined : portRange(port);
  if (port !== undefined && ports === undefined) return undefined;
  /** `prefix to`: the host part stays. */
  const mask =
    flags.includes('netmap') && addresses !== undefined && family !== undefined
      ? hostMask(addresses, family)
      : undefined;
  return {
    of,
    ownAddress,
    random,
    ...(family === undefined ? {} : { family }),
    ...(addresses === undefined
      ? {}
      : { addresses: mask === undefined ? addresses : ([addresses[0], addresses[0]] as const) }),
    ...(ports === undefined ? {} : { ports }),
    ...(mask === undefined ? {} : { mask }),
  };
}

function hostMask([low, high]: Range, family: 'ip' | 'ip6'): bigint {
  const all = (1n << BigInt(family === 'ip' ? 32 : 128)) - 1n;
  return all - (high - low);
}

function portRange(value: Json): Range | undefined {
  const one = (json: Json | undefined) =>
    typeof json === 'number' || typeof json === 'string' ? portNumber(String(json)) : undefined;
  const range = isObject(value) && isList(value['range']) ? value['range'] : [value, value];
  const [low, high] = [one(range[0]), one(range[1])];
  return low === undefined || high === undefined || low > high ? undefined : [low, high];
}

/** Keys that a rule may write; the others (`ct zone`, `tcp option`, `meta priority`, ...) are not seen by the model. */
const invisible: ReadonlySet<string> = new Set([
  'zone',
  'priority',
  'nftrace',
  'pkttype',
  'helper',
  'event',
  'label',
  'secmark',
  'tcp option',
  'cgroup',
]);

function mangle(value: JsonObject): readonly Action[] | undefined {
  const target = value['key'] ?? null;
  const [kind, inner] = only(target) ?? ['', null];
  if (
    invisible.has(kind) ||
    (isObject(inner) && (kind === 'meta' || kind === 'ct') && invisible.has(textOf(inner['key']) ?? ''))
  ) {
    return [];
  }
  const found = operand(target);
  if (found === undefined || isInterface(found.key) || found.key.startsWith('ct.') !== (found.key === 'ct.mark'))
    return undefined;
  const result = valueOf(value['value'] ?? null, found.key);
  return result && [{ is: 'assign', key: found.key, value: result }];
}

function valueOf(json: Json, key: Key): Value | undefined {
  const [kind, inner] = only(json) ?? [];
  const op = kind === undefined ? undefined : ({ '&': 'and', '|': 'or', '^': 'xor' } as const)[kind];
  if (op !== undefined && isList(inner) && inner.length >= 2) {
    const values = inner.map((part) => valueOf(part, key));
    return values.reduce((left, right) => left && right && { is: op, left, right });
  }
  if (kind === 'numgen' || kind === 'jhash' || kind === 'symhash') return { is: 'any' };
  const read = operand(json);
  if (read !== undefined) return isInterface(read.key) ? undefined : { is: 'key', key: read.key };
  const value = scalar(key, json);
  return value === undefined ? undefined : { is: 'constant', value };
}
