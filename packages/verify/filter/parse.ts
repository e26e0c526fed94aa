import type { CompareOp } from '../ir/expression.ts';
import { inputLimits } from '../limits.ts';
import { addressBlock, ipv4Address, macAddress, prefixMask, shortNet, type AddressBlock } from './addresses.ts';
import {
  byteHeaders,
  numberNames,
  type ByteHeader,
  type Comparison,
  type Dialect,
  type Direction,
  type Filter,
  type NumberName,
  type Test,
  type Transport,
} from './ast.ts';
import { etherTypeNames, icmpTypes, portNames, protocolNames, tcpFlags } from './names.ts';
import { filterError, filterWords, type Word } from './words.ts';

const relations: Readonly<Record<string, CompareOp>> = {
  '=': '==',
  '==': '==',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const MAC_ONES = (1n << 48n) - 1n;
const GROUP_BIT = 1n << 40n;
const transports: ReadonlySet<string> = new Set<Transport>(['tcp', 'udp', 'sctp']);

/** Words after which the name of a protocol is the beginning of a longer test. */
const continues: ReadonlySet<string> = new Set(['src', 'dst', 'host', 'net', 'port', 'portrange', 'proto', '[']);

/**
 * Reads a filter. Throws SF-VERIFY-QUESTION with the column and what was expected there.
 *
 *     filter := or [? filter : filter]
 *     or     := and {(or | ||) and}
 *     and    := factor {[and | &&] factor}
 *     factor := (not | !) factor | ( filter ) | test
 */
export function readFilter(text: string, dialect: Dialect): Filter {
  return new FilterParser(text, dialect).whole();
}

class FilterParser {
  readonly #words: readonly Word[];
  readonly #dialect: Dialect;
  #at = 0;
  #depth = 0;
  /** What bare values are taken for: `src port 80 or 81`. */
  #previous: Test | undefined;

  constructor(text: string, dialect: Dialect) {
    this.#words = filterWords(text);
    this.#dialect = dialect;
  }

  whole(): Filter {
    if (this.#words.length === 2 && ['-', 'any', 'all'].includes(this.#text)) return { kind: 'constant', value: true };
    const filter = this.#filter();
    if (this.#text !== '') throw this.#expected('the end, "and" or "or"');
    return filter;
  }

  get #word(): Word {
    return this.#words[this.#at]!;
  }

  get #text(): string {
    return this.#word.text;
  }

  #next(): string {
    const { text } = this.#word;
    if (this.#at < this.#words.length - 1) this.#at += 1;
    return text;
  }

  #peek(): string {
    return this.#words[Math.min(this.#at + 1, this.#words.length - 1)]!.text;
  }

  #skip(...texts: readonly string[]): boolean {
    const found = texts.includes(this.#text) && this.#text !== '';
    if (found) this.#at += 1;
    return found;
  }

  #expected(what: string): Error {
    return filterError(this.#word.column, what, this.#text === '' ? 'the end' : `"${this.#text}"`);
  }

  #filter(): Filter {
    this.#depth += 1;
    if (this.#depth > inputLimits.nesting)
      throw filterError(this.#word.column, `at most ${inputLimits.nesting} levels`, 'more');
    const condition = this.#or();
    let filter = condition;
    if (this.#skip('?')) {
      const yes = this.#filter();
      if (!this.#skip(':')) throw this.#expected('" : " of "a ? b : c"');
      filter = { kind: 'choose', condition, yes, no: this.#filter() };
    }
    this.#depth -= 1;
    return filter;
  }

  #or(): Filter {
    const of = [this.#and()];
    while (this.#skip('or', '||')) of.push(this.#and());
    return of.length === 1 ? of[0]! : { kind: 'or', of };
  }

  #and(): Filter {
    const of = [this.#factor(false)];
    for (;;) {
      if (this.#skip('and', '&&')) of.push(this.#factor(false));
      else if (['', ')', '?', ':', 'or', '||'].includes(this.#text)) break;
      else of.push(this.#factor(true));
    }
    return of.length === 1 ? of[0]! : { kind: 'and', of };
  }

  #factor(juxtaposed: boolean): Filter {
    let negations = 0;
    while (this.#skip('not', '!')) negations += 1;
    if (negations > inputLimits.nesting)
      throw filterError(this.#word.column, `at most ${inputLimits.nesting} negations`, 'more');
    let filter: Filter;
    if (this.#skip('(')) {
      filter = this.#filter();
      if (!this.#skip(')')) throw this.#expected('")"');
    } else filter = this.#test(juxtaposed);
    for (; negations > 0; negations -= 1) filter = { kind: 'not', of: filter };
    return filter;
  }

  #test(juxtaposed: boolean): Filter {
    if (this.#skip('true')) return { kind: 'constant', value: true };
    if (this.#skip('false')) return { kind: 'constant', value: false };
    const filter = this.#primitive(juxtaposed);
    if (filter.kind !== 'and') this.#previous = filter;
    return filter;
  }

  #primitive(juxtaposed: boolean): Test | { readonly kind: 'and'; readonly of: readonly Test[] } {
    if (this.#skip('vlan')) return this.#vlan();
    if (this.#skip('paint')) {
      this.#skip('color', 'colour');
      return { kind: 'paint', colour: this.#number(255, 'a colour') };
    }
    let direction = this.#direction();
    const header = this.#header();
    direction = this.#direction(direction);
    if (header !== undefined) {
      if (header in byteHeaders && this.#text === '[') return this.#bytes(header as ByteHeader);
      const named = `${header} ${this.#text}`;
      if (named in numberNames && direction === undefined) return this.#namedNumber(named as NumberName);
    }
    if (header === 'ether') return this.#ether(direction);
    if (header === 'icmp' && direction === undefined && icmpTypes.has(this.#text))
      return { kind: 'number', of: 'icmp type', number: this.#comparison(255, icmpTypes, 'a type of ICMP') };
    const special = direction === undefined ? this.#special(header) : undefined;
    if (special !== undefined) return special;
    if (this.#skip('portrange', 'port')) return this.#port(direction, header, juxtaposed);
    if (this.#text === 'proto' && direction === undefined) return this.#proto(header);
    if (header !== undefined && direction === undefined && !continues.has(this.#text)) return this.#alone(header);
    return this.#address(direction, header, juxtaposed);
  }

  /** `src`, `dst`, `src or dst`, `src and dst`. */
  #direction(known?: Direction): Direction | undefined {
    if (this.#text !== 'src' && this.#text !== 'dst') return known;
    if (known !== undefined) throw this.#expected('one direction only');
    const first = this.#next() as 'src' | 'dst';
    const other = first === 'src' ? 'dst' : 'src';
    const joined = ['or', '||'].includes(this.#text)
      ? 'src or dst'
      : ['and', '&&'].includes(this.#text)
        ? 'src and dst'
        : undefined;
    if (joined === undefined || this.#peek() !== other) return first;
    this.#at += 2;
    return joined;
  }

  #header(): string | undefined {
    const word = this.#text;
    return ['ip', 'ip6', 'arp', 'ether'].includes(word) || protocolNames.has(word) ? this.#next() : undefined;
  }

  #vlan(): Test {
    return /^\d/.test(this.#text) ? { kind: 'vlan', id: this.#number(4095, 'a VLAN') } : { kind: 'vlan' };
  }

  /** Tests of one word, or of a protocol and one word. */
  #special(header: string | undefined): Test | undefined {
    const word = this.#text;
    if (header === undefined || header === 'ip') {
      if (word === 'frag' || word === 'unfrag') {
        this.#next();
        return { kind: 'fragment', whole: word === 'unfrag' };
      }
    }
    if (header === 'ip') {
      if (this.#skip('ect')) return { kind: 'number', of: 'ip ecn', number: { op: '!=', value: 0 } };
      if (this.#skip('ce')) return { kind: 'number', of: 'ip ecn', number: { op: '==', value: 3 } };
    }
    if ((header === 'ip' || header === 'ip6') && this.#skip('multicast')) {
      const width = header === 'ip' ? 32 : 128;
      const mask = prefixMask(width, header === 'ip' ? 4 : 8);
      return {
        kind: 'address',
        family: header,
        direction: 'dst',
        width,
        value: mask & (header === 'ip' ? 0xe0000000n : mask),
        mask,
        negated: false,
      };
    }
    if (header === undefined || header === 'tcp') {
      const option = header === 'tcp' && this.#skip('opt');
      const flag = tcpFlags.get(this.#text);
      if (flag !== undefined) {
        this.#next();
        return { kind: 'flags', flags: flag };
      }
      if (option) return { kind: 'flags', flags: this.#number(255, 'a TCP flag: syn, ack, fin, rst, psh, urg') };
    }
    return undefined;
  }

  #namedNumber(of: NumberName): Test {
    this.#next();
    const { width } = numberNames[of];
    const names = of === 'icmp type' ? icmpTypes : of === 'ether proto' ? etherTypeNames : undefined;
    return { kind: 'number', of, number: this.#comparison(2 ** width - 1, names, 'a number') };
  }

  #ether(direction: Direction | undefined): Test {
    const at = direction ?? this.#direction() ?? 'src or dst';
    const shared = { kind: 'ether', negated: false } as const;
    if (direction === undefined && this.#skip('broadcast'))
      return { ...shared, direction: 'dst', value: MAC_ONES, mask: MAC_ONES };
    if (direction === undefined && this.#skip('multicast'))
      return { ...shared, direction: 'dst', value: GROUP_BIT, mask: GROUP_BIT };
    this.#skip('host');
    const negated = this.#equality();
    const value = macAddress(this.#text);
    if (value === undefined) throw this.#expected('a MAC address, "proto", "broadcast" or "multicast"');
    this.#next();
    return { kind: 'ether', direction: at, value, mask: MAC_ONES, negated };
  }

  /** True after `!=`. */
  #equality(): boolean {
    if (this.#skip('!=')) return true;
    this.#skip('=', '==');
    return false;
  }

  #port(direction: Direction | undefined, header: string | undefined, juxtaposed: boolean): Test {
    if (header !== undefined && !transports.has(header)) throw this.#expected('tcp, udp or sctp before "port"');
    return {
      kind: 'port',
      ...(header === undefined ? {} : { transport: header as Transport }),
      direction: direction ?? (juxtaposed ? this.#heldDirection() : undefined) ?? 'src or dst',
      number: this.#comparison(65_535, portNames, 'a port'),
    };
  }

  /** See `Dialect`: what stands behind an address without `and` is about the same end of the packet. */
  #heldDirection(): Direction | undefined {
    const { kind } = this.#previous ?? { kind: 'none' };
    if (this.#dialect !== 'tcpdump' || (kind !== 'address' && kind !== 'port')) return undefined;
    return (this.#previous as Extract<Test, { kind: 'address' | 'port' }>).direction;
  }

  #proto(header: string | undefined): Test {
    if (header !== undefined && header !== 'ip' && header !== 'ip6') throw this.#expected('ip or ip6 before "proto"');
    this.#next();
    const number = this.#comparison(255, protocolNames, 'a protocol');
    return header === undefined ? { kind: 'protocol', number } : { kind: 'protocol', family: header, number };
  }

  /** `tcp`, `ip6`: by itself. */
  #alone(header: string): Test {
    if (header === 'ip' || header === 'ip6' || header === 'arp') return { kind: 'family', family: header };
    const number: Comparison = { op: '==', value: protocolNames.get(header)! };
    if (this.#dialect === 'tcpdump') {
      if (header === 'icmp' || header === 'igmp') return { kind: 'protocol', family: 'ip', number };
      if (header === 'icmp6' || header === 'icmpv6') return { kind: 'protocol', family: 'ip6', number };
    }
    return { kind: 'protocol', number };
  }

  #address(
    direction: Direction | undefined,
    header: string | undefined,
    juxtaposed: boolean,
  ): Test | { readonly kind: 'and'; readonly of: readonly Test[] } {
    const start = this.#at;
    const isNet = this.#skip('net');
    const named = isNet || this.#skip('host');
    const negated = this.#equality();
    const block = addressBlock(this.#text) ?? (isNet ? shortNet(this.#text) : undefined);
    if (block === undefined) {
      this.#at = named ? this.#at : start;
      if (!named && (header === undefined || transports.has(header)) && portNames.has(this.#text)) {
        if (direction !== undefined || this.#previous?.kind !== 'port')
          return this.#port(direction, header, juxtaposed);
      }
      if (named || direction !== undefined || header !== undefined)
        throw this.#expected(isNet ? 'a network' : 'an address');
      return this.#bare();
    }
    const column = this.#word;
    this.#next();
    const { value, mask } = this.#masked(block);
    const held = named ? (juxtaposed ? this.#heldDirection() : undefined) : this.#bareDirection();
    const address = {
      kind: 'address',
      direction: direction ?? held ?? 'src or dst',
      width: block.width,
      value,
      mask,
      negated,
    } as const;
    if (header === undefined) return address;
    if (header === 'ip' || header === 'ip6' || header === 'arp') {
      if ((header === 'ip6') !== (block.width === 128))
        throw filterError(column.column, `an address of ${header}`, `"${column.text}"`);
      return { ...address, family: header };
    }
    return { kind: 'and', of: [this.#alone(header), address] };
  }

  #bareDirection(): Direction | undefined {
    return this.#previous?.kind === 'address' ? this.#previous.direction : undefined;
  }

  /** `net A mask M` */
  #masked(block: AddressBlock): AddressBlock {
    if (block.width !== 32 || !this.#skip('mask')) return block;
    const mask = ipv4Address(this.#text);
    if (mask === undefined) throw this.#expected('a mask like 255.255.255.0');
    this.#next();
    return { width: 32, value: block.value & mask, mask };
  }

  /** A value without a word before it is taken for what the last one was. */
  #bare(): Test {
    const previous = this.#previous;
    if (previous?.kind === 'port' && this.#isValue(portNames))
      return { ...previous, number: this.#comparison(65_535, portNames, 'a port') };
    if (previous?.kind === 'number' && this.#isValue(icmpTypes))
      return { ...previous, number: this.#comparison(2 ** numberNames[previous.of].width - 1, icmpTypes, 'a number') };
    if (previous?.kind === 'protocol' && this.#isValue(protocolNames))
      return { ...previous, number: this.#comparison(255, protocolNames, 'a protocol') };
    throw this.#expected('a test: an address, a protocol, "port", "host", "net", ...');
  }

  #isValue(names: ReadonlyMap<string, number>): boolean {
    return /^\d/.test(this.#text) || names.has(this.#text);
  }

  #bytes(header: ByteHeader): Test {
    this.#next();
    const { bytes } = byteHeaders[header];
    const offset = this.#position();
    if (offset.offset + offset.length > bytes) {
      this.#at -= 1;
      throw this.#expected(`bytes within the ${bytes} of the header of ${header}`);
    }
    if (!this.#skip(']')) throw this.#expected('"]"');
    const number = this.#comparison(2 ** (8 * offset.length) - 1, undefined, 'a number');
    return { kind: 'bytes', header, ...offset, number };
  }

  /** `13`, `0:2`. */
  #position(): { readonly offset: number; readonly length: number } {
    const parts = /^(\d{1,4})(?::(\d))?$/.exec(this.#text);
    const length = Number(parts?.[2] ?? 1);
    if (parts === null || ![1, 2, 4].includes(length))
      throw this.#expected('offset or offset:length, of 1, 2 or 4 bytes');
    this.#next();
    return { offset: Number(parts[1]), length };
  }

  /** `[& mask] [relation] value`, a range `80-90`; after a mask alone: not zero. */
  #comparison(most: number, names: ReadonlyMap<string, number> | undefined, what: string): Comparison {
    const mask = this.#skip('&') ? this.#number(most, 'a mask') : undefined;
    const masked = mask === undefined ? {} : { mask };
    const relation = Object.hasOwn(relations, this.#text) ? relations[this.#next()]! : undefined;
    if (relation === undefined && mask !== undefined && !this.#isValue(names ?? new Map()))
      return { op: '!=', value: 0, mask: mask };
    const range = /^(\d{1,5})-(\d{1,5})$/.exec(this.#text);
    if (range !== null && mask === undefined && (relation === undefined || relation === '==' || relation === '!=')) {
      const [value, high] = [Number(range[1]), Number(range[2])];
      if (value > high || high > most) throw this.#expected(`a range within 0-${most}`);
      this.#next();
      return value === high ? { op: relation ?? '==', value } : { op: relation ?? '==', value, high };
    }
    return { op: relation ?? '==', value: this.#number(most, what, names), ...masked };
  }

  #number(most: number, what: string, names?: ReadonlyMap<string, number>): number {
    const named = names?.get(this.#text);
    const value = named ?? (/^(?:\d{1,10}|0[xX][0-9a-fA-F]{1,8})$/.test(this.#text) ? Number(this.#text) : undefined);
    if (value === undefined || value > most) throw this.#expected(`${what}, 0 to ${most}`);
    this.#next();
    return value;
  }
}
