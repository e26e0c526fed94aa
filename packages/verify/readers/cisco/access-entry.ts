import type { MaskedAddress } from '../../incremental/rules.ts';
import type { SourceRef } from '../../ir/source.ts';
import { protocols } from '../../ir/fields.ts';
import { parseIpv4 } from '../fib/addresses.ts';
import type { AccessEntry, ObjectGroups, PortRanges, ServiceTest } from './access-list.ts';
import { icmpType, portNumber, protocolOf } from './names.ts';

const PORT_MAX = 65_535;
/** Ports after one `eq` or `neq`. */
const PORTS_MAX = 100;
const tcpFlags: Readonly<Record<string, number>> = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 };
/** They write to the log, and pass or stop nothing. */
const LOGGING = /^(?:log|log-input)$/;

/** Words that are taken from the left. Throws `NotUnderstood`, which the reader turns into a fate of the line. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get next(): string | undefined {
    return this.#words[this.#at]?.toLowerCase();
  }

  /** As it is written: names have capitals. */
  take(what: string): string {
    const word = this.#words[this.#at];
    if (word === undefined) throw new NotUnderstood(`${what} is missing`);
    this.#at += 1;
    return word;
  }

  takeIf(...words: readonly string[]): boolean {
    const found = this.next !== undefined && words.includes(this.next);
    if (found) this.#at += 1;
    return found;
  }

  rest(): string {
    return this.#words.slice(this.#at).join(' ');
  }
}

/** Of one line; it does not leave the reader. */
export class NotUnderstood extends Error {}

/** `permit` or `deny` and what follows, of a standard list: sources alone. */
export function standardEntry(words: Words, source: SourceRef): AccessEntry {
  const action = actionOf(words);
  const sources = addressOf(words, undefined);
  return { action, services: [{}], ...(sources === undefined ? {} : { sources }), ...ending(words), source };
}

/** The same of an extended list: protocol, source, destination, each with ports, and options. */
export function extendedEntry(words: Words, source: SourceRef, groups: ObjectGroups): AccessEntry {
  const action = actionOf(words);
  const named = servicesOf(words, groups);
  const { protocol } = named;
  const sources = addressOf(words, groups);
  const sourcePorts = portsOf(words);
  const destinations = addressOf(words, groups);
  const destinationPorts = portsOf(words);
  const service: ServiceTest = {
    ...(protocol === undefined ? {} : { protocol }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
    ...(destinationPorts === undefined ? {} : { destinationPorts }),
    ...(protocol === protocols.icmp ? icmpOf(words) : {}),
    ...(protocol === protocols.tcp ? flagsOf(words) : {}),
  };
  if ((sourcePorts ?? destinationPorts) !== undefined && protocol !== protocols.tcp && protocol !== protocols.udp) {
    throw new NotUnderstood('only TCP and UDP have ports');
  }
  return {
    action,
    services: named.services ?? [service],
    ...(sources === undefined ? {} : { sources }),
    ...(destinations === undefined ? {} : { destinations }),
    ...ending(words),
    source,
  };
}

function actionOf(words: Words): 'permit' | 'deny' {
  const action = words.take('permit or deny').toLowerCase();
  if (action === 'permit' || action === 'deny') return action;
  throw new NotUnderstood(`'${action.slice(0, 40)}' is neither permit nor deny`);
}

function servicesOf(words: Words, groups: ObjectGroups) {
  if (words.takeIf('object-group')) return { services: groupNamed(words, (name) => groups.services(name)) };
  const name = words.take('a protocol').toLowerCase();
  return { protocol: protocolNamed(name) };
}

/** Undefined: any. */
export function protocolNamed(name: string): number | undefined {
  if (name === 'ip' || name === 'ipv4') return undefined;
  const number = protocolOf(name);
  if (number === undefined) throw new NotUnderstood(`'${name.slice(0, 40)}' is no protocol`);
  return number;
}

function groupNamed<T>(words: Words, find: (name: string) => T | undefined): T {
  const name = words.take('the name of a group');
  const group = find(name);
  if (group === undefined) throw new NotUnderstood(`there is no object-group ${name.slice(0, 80)} of that kind`);
  return group;
}

/** Undefined: any. `groups` of an extended list, in which an address is always followed by its wildcard. */
function addressOf(words: Words, groups: ObjectGroups | undefined): readonly MaskedAddress[] | undefined {
  if (words.takeIf('any', 'any4')) return undefined;
  if (words.takeIf('host')) return [{ value: ipv4Of(words), wildcard: 0 }];
  if (groups !== undefined && words.takeIf('object-group')) return groupNamed(words, (name) => groups.networks(name));
  const value = ipv4Of(words);
  const isAlone = groups === undefined && (words.next === undefined || parseIpv4(words.next) === undefined);
  return [{ value, wildcard: isAlone ? 0 : ipv4Of(words) }];
}

export function ipv4Of(words: Words): number {
  const text = words.take('an address');
  const address = parseIpv4(text);
  if (address === undefined) throw new NotUnderstood(`'${text.slice(0, 40)}' is no IPv4 address`);
  return address;
}

/** `eq`, `neq`, `lt`, `gt`, `range`; undefined when there is none. */
export function portsOf(words: Words): PortRanges | undefined {
  if (words.takeIf('eq')) return union(portList(words).map((port) => [port, port] as const));
  if (words.takeIf('neq')) {
    return complement(union(portList(words).map((port) => [port, port] as const)));
  }
  if (words.takeIf('lt')) return union([[0, portOf(words) - 1]]);
  if (words.takeIf('gt')) return union([[portOf(words) + 1, PORT_MAX]]);
  if (!words.takeIf('range')) return undefined;
  const [low, high] = [portOf(words), portOf(words)];
  // IOS turns them round.
  return [[Math.min(low, high), Math.max(low, high)]];
}

function portList(words: Words): readonly number[] {
  const list = [portOf(words)];
  while (words.next !== undefined && portNumber(words.next) !== undefined && list.length < PORTS_MAX) {
    list.push(portOf(words));
  }
  return list;
}

function portOf(words: Words): number {
  const text = words.take('a port').toLowerCase();
  const port = portNumber(text);
  if (port === undefined) throw new NotUnderstood(`'${text.slice(0, 40)}' is no port`);
  return port;
}

function union(ranges: PortRanges): PortRanges {
  const made: [number, number][] = [];
  for (const [low, high] of ranges.filter(([from, to]) => from <= to).toSorted((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else made.push([low, high]);
  }
  return made;
}

function complement(ranges: PortRanges): PortRanges {
  const edges = [-1, ...ranges.flat(), PORT_MAX + 1];
  return Array.from({ length: edges.length / 2 }, (_, i) => [edges[2 * i]! + 1, edges[2 * i + 1]! - 1] as const).filter(
    ([low, high]) => low <= high,
  );
}

function icmpOf(words: Words): Pick<ServiceTest, 'icmp'> {
  const { next } = words;
  if (next === undefined) return {};
  const named = icmpType(next);
  if (named !== undefined) {
    words.take('a type');
    const [type, code] = named;
    return { icmp: { type, ...(code === undefined ? {} : { code }) } };
  }
  const type = byteOf(words);
  if (type === undefined) return {};
  const code = byteOf(words);
  return { icmp: { type, ...(code === undefined ? {} : { code }) } };
}

function byteOf(words: Words): number | undefined {
  if (words.next === undefined || !/^\d{1,3}$/.test(words.next)) return undefined;
  const value = Number(words.take('a number'));
  if (value > 255) throw new NotUnderstood(`'${value}' is no type and no code of ICMP`);
  return value;
}

/** `established` is an answer: ACK or RST is set. */
function flagsOf(words: Words): Pick<ServiceTest, 'anyFlag'> {
  if (words.takeIf('established')) return { anyFlag: [tcpFlags['ack']!, tcpFlags['rst']!] };
  const set: number[] = [];
  while (words.next !== undefined && Object.hasOwn(tcpFlags, words.next)) {
    set.push(tcpFlags[words.take('a flag').toLowerCase()]!);
    if (set.length > 6) throw new NotUnderstood('a flag is there twice');
  }
  return set.length === 0 ? {} : { anyFlag: set };
}

/** Whatever else the line asks for is not modelled: fragments, time ranges, DSCP, options, ... */
function ending(words: Words): Pick<AccessEntry, 'doubt'> {
  const rest = words
    .rest()
    .split(' ')
    .filter((word) => word !== '' && !LOGGING.test(word));
  return rest.length === 0 ? {} : { doubt: `the test '${rest.join(' ').slice(0, 80)}'` };
}
