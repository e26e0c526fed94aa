import type { Json, JsonObject } from './nft-ast.ts';
import type { TokenReader } from './nft-tokens.ts';

/** Not the grammar that is read here; the rule is then not understood. */
export class NotUnderstood extends Error {}

/** Headers and their fields that begin a match or a statement. */
const headers: Readonly<Record<string, readonly string[]>> = {
  ether: ['saddr', 'daddr', 'type'],
  vlan: ['id', 'pcp', 'dei', 'type'],
  ip: [
    'saddr',
    'daddr',
    'protocol',
    'ttl',
    'dscp',
    'ecn',
    'id',
    'length',
    'hdrlength',
    'frag-off',
    'version',
    'checksum',
  ],
  ip6: ['saddr', 'daddr', 'nexthdr', 'hoplimit', 'dscp', 'ecn', 'flowlabel', 'length', 'version'],
  tcp: ['sport', 'dport', 'flags', 'sequence', 'ackseq', 'window', 'checksum', 'urgptr', 'doff', 'reserved'],
  udp: ['sport', 'dport', 'length', 'checksum'],
  udplite: ['sport', 'dport', 'checksum'],
  sctp: ['sport', 'dport', 'vtag', 'checksum', 'chunk'],
  dccp: ['sport', 'dport', 'type'],
  th: ['sport', 'dport'],
  icmp: ['type', 'code', 'id', 'sequence', 'mtu', 'gateway', 'checksum'],
  icmpv6: ['type', 'code', 'id', 'sequence', 'mtu', 'checksum', 'max-delay'],
  igmp: ['type', 'group', 'mrt', 'checksum'],
  esp: ['spi', 'sequence'],
  ah: ['spi', 'sequence', 'hdrlength', 'nexthdr', 'reserved'],
  comp: ['cpi', 'flags', 'nexthdr'],
  arp: ['operation', 'htype', 'ptype', 'hlen', 'plen', 'saddr', 'daddr'],
};

/** Of meta, which may be written without the word. */
const metaWords: ReadonlySet<string> = new Set([
  'iif',
  'oif',
  'iifname',
  'oifname',
  'mark',
  'iiftype',
  'oiftype',
  'skuid',
  'skgid',
  'nftrace',
  'rtclassid',
  'ibriport',
  'obriport',
  'ibrname',
  'obrname',
  'pkttype',
  'cpu',
  'iifgroup',
  'oifgroup',
  'cgroup',
  'length',
  'protocol',
  'priority',
  'nfproto',
  'l4proto',
  'random',
  'time',
  'day',
  'hour',
  'secpath',
  'ibrpvid',
  'ibrvproto',
  'sdif',
  'sdifname',
  'broute',
]);

/** What stands on the left of a match: fields, metadata, connections, concatenations of them, a mask over one of them. */
export function leftSide(reader: TokenReader): Json | undefined {
  const left = fieldSide(reader);
  if (left === undefined || reader.peek() !== '&') return left;
  reader.next();
  return { '&': [left, flagsOrValue(reader)] };
}

/** The same without a mask. */
export function fieldSide(reader: TokenReader): Json | undefined {
  const first = primary(reader);
  if (first === undefined) return undefined;
  const parts: Json[] = [first];
  while (reader.take('.')) {
    const next = primary(reader);
    if (next === undefined) throw new NotUnderstood('a concatenation without end');
    parts.push(next);
  }
  return parts.length === 1 ? first : { concat: parts };
}

function primary(reader: TokenReader): Json | undefined {
  const word = reader.peek() ?? '';
  if (reader.quoted) return undefined;
  const second = reader.peek(1) ?? '';
  if (Object.hasOwn(headers, word) && headers[word]!.includes(second)) {
    reader.next();
    return { payload: { protocol: word, field: reader.next() } };
  }
  if (word === 'meta') {
    if (!metaWords.has(second)) throw new NotUnderstood(`meta ${second}`);
    reader.next();
    return { meta: { key: reader.next() } };
  }
  if (metaWords.has(word)) return { meta: { key: reader.next() } };
  if (word === 'ct') return connection(reader);
  if (word === 'fib') return fib(reader);
  if (word === 'numgen') {
    reader.next();
    const mode = reader.next();
    if (!reader.take('mod')) throw new NotUnderstood('numgen');
    return { numgen: { mode, mod: Number(reader.next()), offset: reader.take('offset') ? Number(reader.next()) : 0 } };
  }
  if (word === 'jhash' || word === 'symhash') {
    const known: JsonObject = { [word]: {} };
    while (!reader.done && reader.peek() !== 'mod') reader.next();
    reader.next();
    reader.next();
    return known;
  }
  if (word === 'tcp' && second === 'option') {
    reader.next();
    reader.next();
    return { 'tcp option': { name: reader.next(), field: reader.next() } };
  }
  return undefined;
}

function connection(reader: TokenReader): Json | undefined {
  const key = reader.peek(1) ?? '';
  /** Statements: `ct count`, `ct helper set`, `ct zone set`, ... are read elsewhere, or look like a match up to `set`. */
  if (key === 'count') return undefined;
  reader.next();
  reader.next();
  if (key !== 'original' && key !== 'reply') return { ct: { key } };
  const next = reader.next();
  return { ct: { key: next === 'ip' || next === 'ip6' ? `${next} ${reader.next()}` : next, dir: key } };
}

function fib(reader: TokenReader): Json {
  reader.next();
  const flags: string[] = [];
  do flags.push(reader.next());
  while (reader.take('.'));
  const result = reader.next();
  if (result !== 'type' && result !== 'oif' && result !== 'oifname') throw new NotUnderstood(`fib ${result}`);
  return { fib: { result: result === 'oifname' ? 'oif' : result, flags } };
}

/** The right-hand side: a value, a range, a prefix, flags, a set, the name of a set. */
export function rightSide(reader: TokenReader): Json {
  if (reader.peek() === '{') return { set: setElements(reader) };
  return concatenation(reader);
}

export function setElements(reader: TokenReader): Json[] {
  const elements: Json[] = [];
  reader.next();
  for (;;) {
    reader.skipNewlines();
    if (reader.done) throw new NotUnderstood('a set without end');
    if (reader.take('}')) return elements;
    elements.push(element(reader));
    reader.skipNewlines();
    if (!reader.take(',') && reader.peek() !== '}') throw new NotUnderstood(`in a set: ${reader.peek() ?? ''}`);
  }
}

/** `value`, `value timeout 1h comment "..."`, `key : value`. */
function element(reader: TokenReader): Json {
  const key = concatenation(reader);
  while (!reader.done && !reader.quoted && elementExtras.has(reader.peek()!)) {
    const extra = reader.next();
    if (extra === 'counter') {
      while (reader.take('packets') || reader.take('bytes')) reader.next();
    } else reader.next();
  }
  if (!reader.take(':')) return key;
  reader.skipNewlines();
  return [key, verdict(reader) ?? concatenation(reader)];
}

const elementExtras: ReadonlySet<string> = new Set(['timeout', 'expires', 'comment', 'counter']);

export function verdict(reader: TokenReader): Json | undefined {
  for (const word of ['accept', 'drop', 'return', 'continue']) if (reader.take(word)) return { [word]: null };
  for (const word of ['jump', 'goto']) if (reader.take(word)) return { [word]: { target: reader.next() } };
  return undefined;
}

function concatenation(reader: TokenReader): Json {
  const parts = [flagsOrValue(reader)];
  while (reader.take('.')) {
    reader.skipNewlines();
    parts.push(flagsOrValue(reader));
  }
  return parts.length === 1 ? parts[0]! : { concat: parts };
}

/** `syn`, `syn,ack`, `(syn | ack)`, `syn | ack`. Within a set the comma divides elements: only names of flags are joined. */
function flagsOrValue(reader: TokenReader): Json {
  if (reader.take('(')) {
    const inner: Json[] = [flagsOrValue(reader)];
    while (reader.take('|') || reader.take(',')) inner.push(flagsOrValue(reader));
    if (!reader.take(')')) throw new NotUnderstood('a bracket without end');
    return inner.flat();
  }
  const first = value(reader);
  if (reader.peek() !== '|') return first;
  const all = [first];
  while (reader.take('|')) all.push(value(reader));
  return all;
}

/** A list of flags outside a set. */
export function flagList(reader: TokenReader, first: Json): Json {
  if (reader.peek() !== ',') return first;
  const all: Json[] = [first];
  while (reader.take(',')) all.push(value(reader));
  return all;
}

const NUMBER = /^(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,15})$/;

export function value(reader: TokenReader): Json {
  if (reader.quoted) return reader.next();
  if (reader.take('!')) throw new NotUnderstood('!');
  const word = reader.next();
  if (word === '' || word === '\n' || word === '{' || word === '}' || word === ')')
    throw new NotUnderstood('a value is missing');
  if (NUMBER.test(word)) return Number(word);
  const slash = word.lastIndexOf('/');
  if (slash > 0 && /^[0-9a-fA-F.:]+$/.test(word.slice(0, slash)) && /^[0-9]{1,3}$/.test(word.slice(slash + 1))) {
    return { prefix: { addr: word.slice(0, slash), len: Number(word.slice(slash + 1)) } };
  }
  const dash = word.indexOf('-');
  if (dash > 0 && isRange(word.slice(0, dash), word.slice(dash + 1))) {
    return { range: [scalarOf(word.slice(0, dash)), scalarOf(word.slice(dash + 1))] };
  }
  return word;
}

/** Names have dashes too: only numbers and addresses make a range. */
function isRange(low: string, high: string): boolean {
  const one = (text: string) =>
    NUMBER.test(text) || /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text) || /^[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*$/.test(text);
  return one(low) && one(high);
}

function scalarOf(text: string): Json {
  return NUMBER.test(text) ? Number(text) : text;
}
