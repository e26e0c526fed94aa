import { isObject, only, type Json, type JsonObject } from './nft-ast.ts';
import {
  fieldSide,
  flagList,
  leftSide,
  NotUnderstood,
  rightSide,
  setElements,
  value,
  verdict,
} from './nft-expressions.ts';
import type { TokenReader } from './nft-tokens.ts';

/** The expressions of one rule, as `nft -j` would give them. */
export function ruleExpressions(reader: TokenReader): Json[] {
  const found: Json[] = [];
  while (!reader.done) {
    if (reader.take(';') || reader.take('\n')) continue;
    if (reader.take('comment')) reader.next();
    else found.push(statement(reader));
  }
  return found;
}

function statement(reader: TokenReader): Json {
  const ending = verdict(reader);
  if (ending !== undefined) return ending;
  const word = reader.peek() ?? '';
  const read = reader.quoted || !Object.hasOwn(statements, word) ? undefined : statements[word];
  if (read !== undefined && !(word === 'ct' && reader.peek(1) !== 'count')) {
    reader.next();
    return read(reader);
  }
  const left = leftSide(reader);
  if (left === undefined) throw new NotUnderstood(word);
  if (reader.take('set')) return { mangle: { key: left, value: assigned(reader) } };
  if (reader.take('vmap')) return { vmap: { key: left, data: mapData(reader) } };
  return match(left, reader);
}

const operators: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** `tcp flags syn` asks whether the bit is set, `tcp flags == syn` whether no other is. */
const bitFields: ReadonlySet<string> = new Set(['flags', 'state', 'status', 'label']);

function match(left: Json, reader: TokenReader): Json {
  const explicit = operators.has(reader.peek() ?? '') ? reader.next() : undefined;
  const [kind, inner] = only(left) ?? [];
  if (kind === 'fib' && (reader.peek() === 'missing' || reader.peek() === 'exists')) {
    return { match: { op: explicit ?? '==', left, right: reader.next() === 'exists' } };
  }
  const key = isObject(inner) ? (inner['field'] ?? inner['key']) : undefined;
  const hasBits = (kind === 'payload' || kind === 'ct') && typeof key === 'string' && bitFields.has(key);
  if (hasBits && explicit === undefined && reader.take('!')) {
    return { match: { op: '!', left, right: flagList(reader, value(reader)) } };
  }
  const isSet = reader.peek() === '{' || (reader.peek() ?? '').startsWith('@');
  const first = rightSide(reader);
  if (!hasBits || isSet) return { match: { op: explicit ?? '==', left, right: first } };
  const right = flagList(reader, first);
  /** `tcp flags syn / syn,ack`: value and mask. */
  if (reader.take('/')) {
    const mask = flagList(reader, value(reader));
    return { match: { op: explicit ?? '==', left: { '&': [left, mask] }, right } };
  }
  return { match: { op: explicit ?? 'in', left, right } };
}

function mapData(reader: TokenReader): Json {
  return reader.peek() === '{' ? { set: setElements(reader) } : reader.next();
}

/** `0x1`, `ct mark`, `meta mark & 0xff | 0x1`, `ip saddr map { ... }`. */
function assigned(reader: TokenReader): Json {
  let result = operandOrMap(reader);
  for (;;) {
    const op = ['&', '|', '^'].find((one) => reader.take(one));
    if (op === undefined) return result;
    result = { [op]: [result, operandOrMap(reader)] };
  }
}

function operandOrMap(reader: TokenReader): Json {
  const word = reader.peek() ?? '';
  const left = word === '{' ? undefined : fieldSide(reader);
  if (left === undefined) return value(reader);
  return reader.take('map') ? { map: { key: left, data: mapData(reader) } } : left;
}

/** `10.0.0.1`, `10.0.0.1:80`, `10.0.0.1-10.0.0.9:80-90`, `[fe80::1]:80`, `:80`, or a map. */
function target(reader: TokenReader): JsonObject {
  const left = leftSide(reader);
  if (left !== undefined) {
    if (!reader.take('map')) throw new NotUnderstood('a translation to a field');
    return { addr: { map: { key: left, data: mapData(reader) } } };
  }
  if (reader.take('[')) {
    const address = reader.next();
    if (!reader.take(']')) throw new NotUnderstood('[');
    const [low, high] = address.split('-');
    const addr: Json = high === undefined ? low! : { range: [low!, high] };
    const rest = reader.peek() ?? '';
    if (!rest.startsWith(':')) return { addr };
    reader.next();
    return { addr, port: port(rest.slice(1)) };
  }
  const word = reader.next();
  if (word.startsWith(':') && !word.startsWith('::')) return { port: port(word.slice(1)) };
  const colon = word.includes('.') ? word.indexOf(':') : -1;
  const [low, high] = (colon < 0 ? word : word.slice(0, colon)).split('-');
  const slash = low!.indexOf('/');
  const network: Json = { prefix: { addr: low!.slice(0, slash), len: Number(low!.slice(slash + 1)) } };
  const addr: Json = high !== undefined ? { range: [low!, high] } : slash > 0 ? network : low!;
  return colon < 0 ? { addr } : { addr, port: port(word.slice(colon + 1)) };
}

function port(text: string): Json {
  const [low, high] = text.split('-').map(Number);
  return high === undefined ? low! : { range: [low!, high] };
}

function translate(kind: 'snat' | 'dnat') {
  return (reader: TokenReader): Json => {
    const family = reader.peek() === 'ip' || reader.peek() === 'ip6' ? reader.next() : undefined;
    const prefix = reader.take('prefix');
    reader.take('to');
    const to = target(reader);
    const flags = natFlags(reader);
    const all = prefix ? [...flags, 'netmap'] : flags;
    return {
      [kind]: { ...(family === undefined ? {} : { family }), ...to, ...(all.length === 0 ? {} : { flags: all }) },
    };
  };
}

function natFlags(reader: TokenReader): string[] {
  const flags: string[] = [];
  while (['random', 'fully-random', 'persistent'].includes(reader.peek() ?? '')) {
    flags.push(reader.next());
    reader.take(',');
  }
  return flags;
}

function toPort(kind: 'masquerade' | 'redirect') {
  return (reader: TokenReader): Json => {
    const to = reader.take('to') ? target(reader) : {};
    const ports = 'addr' in to && isObject(to['addr']) && 'map' in to['addr'] ? { port: to['addr'] } : to;
    const flags = natFlags(reader);
    return { [kind]: { ...ports, ...(flags.length === 0 ? {} : { flags }) } };
  };
}

/** Takes words with a value each, in any order. */
function pairs(reader: TokenReader, names: readonly string[]): JsonObject {
  const found: Record<string, Json> = {};
  while (!reader.done && !reader.quoted && names.includes(reader.peek()!)) found[reader.next()] = reader.next();
  return found;
}

function rate(reader: TokenReader): JsonObject {
  const words: string[] = [];
  while (
    !reader.done &&
    /^(?:rate|over|until|burst|packets?|bytes|kbytes|mbytes|[0-9]+(?:\/[a-z]+)?|used|name)$/.test(reader.peek()!)
  ) {
    words.push(reader.next());
    if (reader.peek() === '/') words.push(reader.next(), reader.next());
  }
  if (reader.quoted) words.push(reader.next());
  return { said: words.join(' ') };
}

const statements: Readonly<Record<string, (reader: TokenReader) => Json>> = {
  counter: (reader) => {
    if (reader.take('name')) return { counter: reader.next() };
    return { counter: pairs(reader, ['packets', 'bytes']) };
  },
  log: (reader) => {
    pairs(reader, ['prefix', 'level', 'group', 'queue-threshold', 'snaplen', 'flags']);
    while (
      reader.take('all') ||
      reader.take(',') ||
      reader.take('tcp') ||
      reader.take('sequence') ||
      reader.take('options') ||
      reader.take('skuid') ||
      reader.take('ether')
    )
      continue;
    return { log: null };
  },
  limit: (reader) => ({ limit: rate(reader) }),
  quota: (reader) => ({ quota: rate(reader) }),
  ct: (reader) => {
    reader.next();
    const over = reader.take('over');
    return { 'ct count': { val: Number(reader.next()), inv: over } };
  },
  reject: (reader) => {
    if (!reader.take('with')) return { reject: null };
    const words: string[] = [];
    while (!reader.done && reader.peek() !== ';' && reader.peek() !== 'comment' && reader.peek() !== '\n')
      words.push(reader.next());
    return { reject: { type: words.join(' ') } };
  },
  notrack: () => ({ notrack: null }),
  snat: translate('snat'),
  dnat: translate('dnat'),
  masquerade: toPort('masquerade'),
  redirect: toPort('redirect'),
  queue: (reader) => {
    while (!reader.done && /^(?:num|to|flags|bypass|fanout|total|,|[0-9-]+)$/.test(reader.peek()!)) reader.next();
    return { queue: null };
  },
};
